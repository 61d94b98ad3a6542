# For a GPU with tensor cores: half precision, and memory laid out as they want it.
_base_ = ['./centernet_r18_stepwise_1xb16-300e_liver4-512.py']
# float16 with a loss scale that follows the gradients, as `--amp` sets it: for older GPUs too.
optim_wrapper = dict(type='AmpOptimWrapper', loss_scale='dynamic', dtype='float16')
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
