"""What happens around the training loop, and around the optimizer's step."""

from mmdet_liver.engine import hooks, optim_wrappers  # noqa: F401
