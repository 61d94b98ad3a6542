# What differs from scanner to scanner and from examiner to examiner, for the train pipeline of a
# detector; a leaf puts it between loading and resizing, where the whole sector is in view, in
# place of Brightness and Contrast (which greys the black surround). docs/augmentation.md shows
# each of them. No hue, no upside-down.
#
# Each is left out about half the time, so that the network meets plain images as well. The
# ranges are ours: the strong ends still look like images that a clinic would keep.
ultrasound_augmentation = [
    dict(type='RandomApply', transforms=[dict(type='RandomGain')], prob=0.5),
    # Narrower than in the pretraining: gain and gamma add up.
    dict(
        type='RandomApply',
        transforms=[dict(type='RandomGamma', gamma_range=(0.7, 1.4))],
        prob=0.5,
    ),
    dict(type='RandomApply', transforms=[dict(type='RandomDepthGain')], prob=0.5),
    # Rarer: most images in a clinic are free of shadows from outside the liver.
    dict(type='RandomApply', transforms=[dict(type='RandomShadow')], prob=0.3),
    # Milder and finer than in the pretraining: a small lesion is made of few grains.
    dict(
        type='RandomApply',
        transforms=[dict(type='RandomSpeckle', sigma_range=(0.05, 0.15), grain_range=(1, 2))],
        prob=0.3,
    ),
]
