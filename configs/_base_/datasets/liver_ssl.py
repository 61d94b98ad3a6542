# Two random views of each train image, for metric learning; val and test are never seen.
# A file of a size adds the crop.
data_root = '{{$LIVER_DATA:data/liver4/}}'  # as the detector's

load = [
    # The detector's cache of decoded images, if LIVER_CACHE names a folder.
    dict(type='LoadCachedImage', cache_dir='{{$LIVER_CACHE:none}}'),
]
# After the crop. Grey only: colour in B-mode is a mark or a Doppler overlay, not tissue.
look = [
    # Left-right only: depth runs downwards, shadows and enhancement with it.
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    # Gain, dynamic range and speckle differ from scanner to scanner.
    dict(
        type='RandomApply',
        transforms=[dict(type='ColorJitter', brightness=0.4, contrast=0.4)],
        prob=0.8,
    ),
    dict(type='RandomApply', transforms=[dict(type='RandomGamma')], prob=0.5),
    dict(type='RandomApply', transforms=[dict(type='RandomSpeckle')], prob=0.5),
    # Half the usual radius and less often: how sharp a lesion's border is tells diagnoses apart.
    dict(type='GaussianBlur', magnitude_range=(0.1, 1.0), magnitude_std='inf', prob=0.3),
]

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,  # BatchNorm and the collapse monitor want whole batches
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CocoImages',
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img_path='images/'),
    ),
)
