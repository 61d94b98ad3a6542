"""What is installed and why. Versions that were tried together stand in constraints.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# Neither OpenMMLab family may stand here: pip would install one over the other's files.
# OpenCV neither: the hosts bring one, and a second build overwrites the first's cv2/.
REQUIRES = [
    'numpy>=2',  # bitwise_count, for the search of near-duplicates
    'Pillow',  # palette, EXIF and 16-bit images, text on figures
    'matplotlib',  # figures of the evaluation
    'scipy',  # sparse counts of the bootstrap
    'tqdm',  # progress bars
    'ImageHash',  # perceptual hashes of near-duplicates
    'filelock',  # two preparations must not write one folder
    'Jinja2',  # the pages of the reports
    'PyYAML',  # the grids of tools/reproduce.py
    'tensorboard',  # our configs log to it, and MMEngine's backend raises without it
]
ONEDL = [
    'torch',
    'torchvision',  # MMPretrain imports it; must match torch, so both come together
    'onedl-mmengine',
    'onedl-mmcv',
    'onedl-mmdetection',
    'onedl-mmpretrain',  # SimSiam
    'setuptools',  # mmengine imports it at run time
    'opencv-python-headless',
]
# The official packages ended in 2024; the bounds are what they still run on. The doctor's
# commands name the same ones (mmdet_liver/environment/commands.py).
OPENMMLAB = [
    'torch<2.6',  # mmengine 0.10.7 cannot load its own checkpoints with 2.6 and later
    'torchvision',
    'mmengine==0.10.7',
    'mmcv-lite==2.1.0',
    'mmdet==3.3.0',
    'mmpretrain==1.2.0',
    'setuptools<81',  # mmengine.hub imports pkg_resources
    'opencv-python-headless',
]
# pydicom alone reads uncompressed files; GDCM decodes what scanners compress (JPEG, also
# lossless, JPEG-LS, JPEG 2000, RLE) and has a licence that allows it anywhere.
DICOM = ['pydicom>=3', 'python-gdcm']
PROBE = ['scikit-learn']  # the maps of tools/probe_features.py
DEV = [
    'pytest',
    'pytest-xdist',  # the tests on both cores
    'hypothesis',  # property tests of the metric
    'pycocotools',  # what COCO AP is tested against
    'faster-coco-eval',  # a peer in the benchmark of the evaluation
    'ruff',
]

version = re.search(r"__version__ = '(.+)'", (HERE / 'mmdet_liver/__init__.py').read_text())[1]

setup(
    name='mmdet_liver',
    version=version,
    description='Liver tumour detection in ultrasound: a plugin of MMDetection 3.x',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=[*find_packages(include=['mmdet_liver', 'mmdet_liver.*']), 'mmdet_liver.configs'],
    package_dir={'mmdet_liver.configs': 'configs'},
    package_data={
        'mmdet_liver.configs': ['**/*.py', '**/*.yaml'],
        'mmdet_liver.pages': ['base.html'],
        'mmdet_liver.preparation.statistics': ['template.html'],
        'mmdet_liver.evaluation.report': ['template.html'],
        'mmdet_liver.reproduction': ['template.html'],
    },
    install_requires=REQUIRES,
    extras_require={
        'onedl': ONEDL,
        'openmmlab': OPENMMLAB,
        'dicom': DICOM,
        'probe': PROBE,
        'dev': DEV,
    },
)
