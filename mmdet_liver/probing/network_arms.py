"""The arms of checkpoints, and of random weights in the same architectures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.probing.arms import CHECKPOINT, RANDOM, RANDOM_NAME, Arm, Voting
from mmdet_liver.probing.networks import (
    Network,
    checkpoint_network,
    pooled_features,
    random_network,
)


@dataclass(frozen=True)
class NetworkOptions:
    """Which part of which networks, and how they run; the tool's help says more."""

    stage: int
    random_seeds: int
    batch_size: int
    device: str
    cfg: str | None = None
    prefix: str | None = None


def network_arms(
    checkpoints: Sequence[tuple[str, str]], voting: Voting, options: NetworkOptions
) -> list[Arm]:
    """The arm of each checkpoint (name, path), then that of random weights.

    Raises:
        InputError: if a checkpoint does not load; before any features are taken.
    """
    loaded = {
        name: checkpoint_network(path, options.cfg, options.prefix, options.stage)
        for name, path in checkpoints
    }
    arms = [
        voting.arm(
            name,
            CHECKPOINT,
            f'{network.source} ({network.architecture})',
            [_features(network, voting, options, name)],
        )
        for name, network in loaded.items()
    ]
    seeds = range(options.random_seeds)
    for name, network in distinct_architectures(list(loaded.values())) if seeds else ():
        what = f'{len(seeds)} seeds ({network.architecture})'
        runs = [
            _features(random_network(network, seed), voting, options, f'{name}, seed {seed}')
            for seed in seeds
        ]
        arms.append(voting.arm(name, RANDOM, what, runs))
    return arms


def distinct_architectures(loaded: Sequence[Network]) -> list[tuple[str, Network]]:
    """The first network of each architecture and input, and what its random arm is called."""
    distinct: dict[tuple, Network] = {}
    for n in loaded:
        distinct.setdefault((n.architecture, n.mean, n.std, n.to_rgb), n)
    if len(distinct) == 1:
        return [(RANDOM_NAME, n) for n in distinct.values()]
    names = [n.architecture for n in distinct.values()]
    # Alike but for the input's normalisation: numbered.
    numbers = [names[: i + 1].count(name) for i, name in enumerate(names)]
    return [
        (f'{RANDOM_NAME} ({name}{f", {number}" if number > 1 else ""})', n)
        for name, number, n in zip(names, numbers, distinct.values(), strict=True)
    ]


def _features(
    network: Network, voting: Voting, options: NetworkOptions, label: str
) -> tuple[np.ndarray, np.ndarray]:
    size, device = options.batch_size, options.device
    crops = voting.train.crops, voting.val.crops
    return tuple(pooled_features(network, part, size, device, label) for part in crops)
