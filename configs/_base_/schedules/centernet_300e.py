# The study's 300 epochs. It gives no optimizer; ours is Adam at CenterNet's published rate
# (5e-4 at batch 128, Zhou et al., arXiv:1904.07850, section 5) scaled by the root of the
# batch, with a warm-up and clipping, because heat maps diverge at MMDetection's SGD rate
# on small sets.
max_epochs = 300
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1.75e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=35, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500),
    # The same shares of the run as CenterNet's own (90 and 120 of 140 epochs).
    dict(type='MultiStepLR', by_epoch=True, milestones=[193, 257], gamma=0.1),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# --auto-scale-lr scales from this batch, and in proportion to it.
auto_scale_lr = dict(enable=False, base_batch_size=16)
