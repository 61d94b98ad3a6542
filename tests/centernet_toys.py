"""A CenterNet of a few channels, for tests that build, train or look at a whole detector."""

PLAIN_PIXELS = {'mean': [0, 0, 0], 'std': [255, 255, 255]}


def centernet_config(
    base_channels=8,
    deconv=(32, 32, 32),
    num_classes=2,
    pixels=PLAIN_PIXELS,
    head=None,
    **test_cfg,
):
    """Config of a detector; `head` replaces keys of the head, `test_cfg` adds to its own."""
    return {
        'type': 'CenterNet',
        'data_preprocessor': {'type': 'DetDataPreprocessor', 'pad_size_divisor': 32, **pixels},
        'backbone': {
            'type': 'ResNet',
            'depth': 18,
            'base_channels': base_channels,
            'norm_eval': False,
        },
        'neck': {
            'type': 'CTResNetNeck',
            'in_channels': 8 * base_channels,
            'num_deconv_filters': deconv,
            'num_deconv_kernels': (4, 4, 4),
            'use_dcn': False,
        },
        'bbox_head': {
            'type': 'LesionCenterNetHead',
            'num_classes': num_classes,
            'in_channels': deconv[-1],
            'feat_channels': deconv[-1],
            'loss_center_heatmap': {'type': 'LesionHeatmapFocalLoss'},
            **(head or {}),
        },
        'test_cfg': {'topk': 20, **test_cfg},
    }
