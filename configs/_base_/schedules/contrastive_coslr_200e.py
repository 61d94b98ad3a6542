# SimSiam's rate and length, so that the arms differ in their loss alone: SGD 0.05 at batch
# 256, scaled with the batch. Not LARS, which SimCLR takes for batches of thousands. The
# warm-up is SimCLR's: with a low temperature the first gradients are steep.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, weight_decay=1e-4, momentum=0.9)
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(type='CosineAnnealingLR', T_max=190, by_epoch=True, begin=10, end=200),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
auto_scale_lr = dict(base_batch_size=256)
custom_hooks = [dict(type='CollapseMonitorHook', interval=50)]
