"""What happens around the training loop."""

from mmdet_liver.engine import hooks  # noqa: F401
