"""Importing this registers everything the configs name; put it into `custom_imports`.

`compat` comes first: mmdet cannot be imported without the compiled ops of mmcv otherwise.
"""

from mmdet_liver import compat

compat.install()

from mmdet_liver import datasets, engine, models  # noqa: E402, F401
from mmdet_liver.evaluation import metrics  # noqa: E402, F401
