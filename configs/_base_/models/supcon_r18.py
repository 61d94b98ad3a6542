# Supervised contrast (Khosla et al., arXiv:2004.11362) on ResNet18, with the paper's projector:
# one hidden layer as wide as the backbone's output, and 128 outputs.
_base_ = ['./r18_ssl.py']
model = dict(
    type='SupCon',
    neck=dict(type='MoCoV2Neck', in_channels=512, hid_channels=512, out_channels=128),
    head=dict(type='SupConHead', temperature=0.1),
)
