# SimCLR (Chen et al., arXiv:2002.05709) on ResNet18: MMPretrain's for ResNet50 with the
# projector's input and hidden layer as wide as the backbone's output, as they are there.
_base_ = ['./r18_ssl.py']
model = dict(
    type='SimCLR',
    neck=dict(
        type='NonLinearNeck',
        in_channels=512,
        hid_channels=512,
        out_channels=128,
        num_layers=2,
        with_avg_pool=True,
        norm_cfg=dict(type='BN1d'),
    ),
    head=dict(type='ContrastiveHead', loss=dict(type='CrossEntropyLoss'), temperature=0.1),
)
