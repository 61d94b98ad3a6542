# BUSI's train images in views of 128 px, half the detector's side: a view shows lesions at
# about the scale that the detector sees.
_base_ = ['./liver_ssl.py']
data_root = '{{$LIVER_DATA:data/busi/}}'
view = [dict(type='RandomTissueCrop', scale=128), *_base_.look]
train_pipeline = [
    *_base_.load,
    dict(type='MultiView', num_views=2, transforms=[view]),
    dict(type='PackInputs'),
]
# Some 365 images: a batch of 256 would make one step an epoch.
train_dataloader = dict(
    batch_size=64, num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline)
)
