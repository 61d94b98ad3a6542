# DenseCL (Wang et al., arXiv:2011.09157) on ResNet18: MMPretrain's for ResNet50 with the
# projector's input and hidden layer as wide as the backbone's output, as they are there.
_base_ = ['./r18_ssl.py']
model = dict(
    type='DenseCL',
    # At most; QueueLengthHook shortens it on smaller data. The paper's 65,536 is for ImageNet.
    queue_len=4096,
    feat_dim=128,
    momentum=0.001,  # MMEngine's way round: the key encoder keeps 0.999 of itself
    loss_lambda=0.5,
    backbone=dict(zero_init_residual=False),
    neck=dict(
        type='DenseCLNeck', in_channels=512, hid_channels=512, out_channels=128, num_grid=None
    ),
    head=dict(type='ContrastiveHead', loss=dict(type='CrossEntropyLoss'), temperature=0.2),
)
# The key encoder has no gradient.
find_unused_parameters = True
