# The plain network with what ours has beside pretraining and thawing: averaged weights and the
# augmentations of ultrasound. What `stepwise-ema` gains by its pretraining, it gains over this.
_base_ = [
    './centernet_r18_flex_1xb4-60e_busi2-256.py',
    '../_base_/schedules/ema.py',
    '../_base_/datasets/ultrasound_augmentation.py',
]
# Over about 400 steps, 4 to 5 epochs of BUSI: 2% of so short a run would be one and a half.
ema = dict(momentum=0.0025, gamma=80)
custom_hooks = [*_base_.custom_hooks, {**_base_.ema, **ema}]
# In the place of Brightness and Contrast.
train_pipeline = [
    *_base_.train_pipeline[:2],
    *_base_.ultrasound_augmentation,
    *_base_.train_pipeline[4:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
