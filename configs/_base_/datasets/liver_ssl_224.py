# Views of 224 px, the size of MMPretrain's SimSiam.
_base_ = ['./liver_ssl.py']
view = [dict(type='RandomTissueCrop', scale=224), *_base_.look]
train_pipeline = [
    *_base_.load,
    dict(type='MultiView', num_views=2, transforms=[view]),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
