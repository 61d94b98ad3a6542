# The four diagnoses, as tools/prepare_data.py writes them; loaders and evaluators without a
# size. A data set file of a size adds the pipelines.
# Another folder: LIVER_DATA=/path/to/it/ python tools/train.py ... (with the last slash).
data_root = '{{$LIVER_DATA:data/liver4/}}'
dataset_type = 'LiverTumorDataset'

load = [
    dict(type='LoadImageFromFile'),
]
load_train = [
    # LIVER_CACHE=/path/to/a/folder keeps the decoded train images there; no cache by default.
    dict(type='LoadCachedImage', cache_dir='{{$LIVER_CACHE:none}}'),
    dict(type='LoadAnnotations', with_bbox=True),
    # Gain and contrast differ from scanner to scanner. Hue is left alone: colour in B-mode is
    # a mark or a Doppler overlay, not tissue. (PhotoMetricDistortion would swap channels.)
    dict(type='Brightness', prob=0.5, min_mag=0.7, max_mag=1.3),
    dict(type='Contrast', prob=0.5, min_mag=0.7, max_mag=1.3),
]
# MMDetection's own: whoever wants more has to repeat them.
meta_keys = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
)
pack_train = [
    # Left-right only: depth runs downwards, shadows and enhancement with it.
    dict(type='RandomFlip', prob=0.5),
    # The means against missing labels ask for the mark.
    dict(type='PackDetInputs', meta_keys=(*meta_keys, 'fully_annotated')),
]
pack_test = [
    # After the resizing, so that the ground truth stays in pixels of the original image.
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=(*meta_keys, 'instances')),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/'),
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=2,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
    ),
)

# `--tta`: both ways round. The flip comes before the padding, or boxes could not be flipped back.
tta_model = dict(
    type='DetTTAModel',
    tta_cfg=dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100),
)
tta_flip = [dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)]

# CocoMetric without ann_file takes the ground truth from the data set: with one it would
# label by the order of the file's categories, and know no 1-class task.
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    dict(type='CocoMetric', metric='bbox'),
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    dict(type='CocoMetric', metric='bbox'),
]
