# What every detection run shares: MMDetection's runtime, our parts registered, TensorBoard on.
_base_ = ['mmdet::_base_/default_runtime.py']
custom_imports = dict(imports=['mmdet_liver.plugin'], allow_failed_imports=False)
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(vis_backends=vis_backends)
# Saved as often as validated (val_interval of the schedules), and at the end.
default_hooks = dict(
    checkpoint=dict(interval=5, max_keep_ckpts=2, save_best='lesion/f1_mean', rule='greater')
)
# A child that adds hooks writes [*_base_.custom_hooks, ...]: lists are replaced, not joined.
custom_hooks = [dict(type='InputCheckHook')]
