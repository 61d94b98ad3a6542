"""Which ResNet a set of tensors belongs to: read from their names and shapes."""

import re
from collections.abc import Mapping

from mmdet_liver.errors import input_error

# Blocks of the four stages and whether they are bottlenecks -> depth (He et al.,
# arXiv:1512.03385, table 1).
_DEPTHS = {
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
}
_BLOCK = re.compile(r'layer([1-4])\.(\d+)\.conv1\.weight')


def resnet_config(shapes: Mapping[str, tuple[int, ...]], source: str) -> dict:
    """Config of MMDetection's `ResNet` with these tensors.

    Args:
        shapes: of the tensors by name, without a prefix.
        source: where they are from, for the error.
    Raises:
        InputError: if they are not those of a plain ResNet of 18 to 152 layers.
    """
    blocks = [match for match in map(_BLOCK.fullmatch, shapes) if match]
    counts = tuple(sum(match[1] == stage for match in blocks) for stage in '1234')
    depth = _DEPTHS.get((counts, 'layer1.0.conv3.weight' in shapes))
    if depth is None or 'conv1.weight' not in shapes:
        raise input_error(
            source,
            f'a backbone with {", ".join(list(shapes)[:3])}, ...',
            'a checkpoint with its config, or a plain ResNet of 18 to 152 layers',
            "name the backbone's config with --cfg",
        )
    return {
        'type': 'mmdet.ResNet',
        'depth': depth,
        'stem_channels': shapes['conv1.weight'][0],
        'base_channels': shapes['layer1.0.conv1.weight'][0],
    }
