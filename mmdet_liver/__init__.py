"""Liver tumour detection in B-mode ultrasound, as a plugin of MMDetection 3.x.

Importing this package loads neither torch nor mmdet: data preparation and
evaluation run without them. `mmdet_liver.plugin` registers the parts.
"""

from mmdet_liver.paths import config_path

__version__ = '0.1.0'
__all__ = ['__version__', 'config_path']
