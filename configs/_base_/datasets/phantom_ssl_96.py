# The phantom of `make demo` in views of 96 px: about the scale of the 160 px detector's input,
# and small enough for two CPU cores.
_base_ = ['./liver_ssl.py']
data_root = '{{$LIVER_DATA:work_dirs/demo/data/}}'
view = [dict(type='RandomTissueCrop', scale=96), *_base_.look]
train_pipeline = [
    *_base_.load,
    dict(type='MultiView', num_views=2, transforms=[view]),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=64, num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline)
)
