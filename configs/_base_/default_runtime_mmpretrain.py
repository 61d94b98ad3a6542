# What every pretraining run shares: MMPretrain's runtime, our parts registered, TensorBoard on.
_base_ = ['mmpretrain::_base_/default_runtime.py']
custom_imports = dict(imports=['mmdet_liver.plugin'], allow_failed_imports=False)
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(vis_backends=vis_backends)
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
