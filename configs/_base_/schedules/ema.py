# An average of the weights over the last steps, for validation, the best checkpoint and every
# checkpoint's `state_dict`. Beside a schedule:
#
#     custom_hooks = [*_base_.custom_hooks, ..., _base_.ema]
#
# The average looks back over 1 / momentum = 1000 steps. YOLOX averages over 2% of its run
# (momentum 1e-4), RTMDet over 4%; 1000 steps are 2% of 300 epochs with 2700 train images at
# batch 16. For another number of images set momentum = 50 / (epochs x steps of an epoch).
ema = dict(
    type='EMAHook',
    ema_type='ExpMomentumEMA',
    momentum=1e-3,
    # A shorter window at first, so that the average forgets the random head: a fifth of the
    # window, as with YOLOX.
    gamma=200,
    # Running statistics have to fit the averaged weights.
    update_buffers=True,
)
