# SimSiam (Chen and He, arXiv:2011.10566) on ResNet18, whose weights fit the detector's.
#
# Projector and predictor have the paper's widths (2048, 512), which it keeps for ResNet18
# as well (appendix D).
_base_ = ['./r18_ssl.py']
neck_norm_cfg = dict(type='BN1d')
model = dict(
    type='SimSiam',
    neck=dict(
        type='NonLinearNeck',
        in_channels=512,
        hid_channels=2048,
        out_channels=2048,
        num_layers=3,
        with_last_bn_affine=False,
        with_avg_pool=True,
        norm_cfg=neck_norm_cfg,
    ),
    head=dict(
        type='LatentPredictHead',
        loss=dict(type='CosineSimilarityLoss'),
        predictor=dict(
            type='NonLinearNeck',
            in_channels=2048,
            hid_channels=512,
            out_channels=2048,
            with_avg_pool=False,
            with_last_bn=False,
            with_last_bias=True,
            norm_cfg=neck_norm_cfg,
        ),
    ),
)
