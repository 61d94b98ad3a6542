# A short run on a data set of some hundred images: SimSiam's demo rate, four times what the
# linear rule gives for batch 64, and a warm-up of one epoch.
epochs = 20
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, weight_decay=1e-4, momentum=0.9)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=1, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max=epochs - 1,
        begin=1,
        end=epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs)
auto_scale_lr = dict(base_batch_size=64)
custom_hooks = [dict(type='CollapseMonitorHook', interval=4)]
