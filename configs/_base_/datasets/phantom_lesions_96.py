# The phantom's lesions and backgrounds in views of 96 px, for two CPU cores.
_base_ = ['./liver_lesions_224.py']
data_root = '{{$LIVER_DATA:work_dirs/demo/data/}}'
view = [dict(type='RandomLesionCrop', scale=96), *_base_.look]
train_pipeline = [
    *_base_.load,
    dict(type='MultiView', num_views=2, transforms=[view]),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(
    batch_size=64, num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline)
)
