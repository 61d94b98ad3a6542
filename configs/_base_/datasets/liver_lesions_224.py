# Two views of each lesion and of each background of the train images, 224 px, the size of the
# other arms; the look of the views is theirs too.
_base_ = ['./liver_ssl.py']
view = [dict(type='RandomLesionCrop', scale=224), *_base_.look]
train_pipeline = [
    *_base_.load,
    dict(type='MultiView', num_views=2, transforms=[view]),
    dict(type='PackInputs', meta_keys=('img_path', 'patient')),
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='ClassBlockSampler'),
    dataset=dict(type='LesionCrops', pipeline=train_pipeline),
)
