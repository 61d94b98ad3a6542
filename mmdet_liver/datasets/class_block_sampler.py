"""An order of crops in which every batch has every class, from many patients."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class ClassBlockSampler(Sampler):
    """Blocks of one crop of each class; crops of a class come patient by patient in turn.

    Contrasting needs positives: B crops in a row hold at least (B + 1) // C - 1 of each of
    C classes. An epoch has as many crops as the data set, rounded up to whole blocks;
    rare classes are repeated, of frequent ones some wait for another epoch. Each process
    gets whole blocks.

    Args:
        dataset: its data infos have `gt_label` and `patient`, as `LesionCrops`'s.
        seed: of the order, equal in all processes; None draws one.
    """

    def __init__(self, dataset: BaseDataset, seed: int | None = None) -> None:
        infos = [dataset.get_data_info(i) for i in range(len(dataset))]
        self.labels = [info['gt_label'] for info in infos]
        self.patients = [info['patient'] for info in infos]
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.num_classes = len(set(self.labels))
        self.blocks_of_rank = math.ceil(len(infos) / self.num_classes / self.world_size)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        total = self.blocks_of_rank * self.world_size
        blocks = class_blocks(self.labels, self.patients, total, rng)
        return iter(blocks[self.rank :: self.world_size].ravel().tolist())

    def __len__(self) -> int:
        return self.blocks_of_rank * self.num_classes

    def set_epoch(self, epoch: int) -> None:
        """Another epoch, another order."""
        self.epoch = epoch


def class_blocks(
    labels: Sequence[int], patients: Sequence[int], num_blocks: int, rng: np.random.Generator
) -> np.ndarray:
    """Random indices, (num_blocks, C): in each row one of each class, in random order."""
    columns = []
    for label in sorted(set(labels)):
        members = np.flatnonzero(np.asarray(labels) == label)
        passes = math.ceil(num_blocks / len(members))
        turns = [in_turn(members, patients, rng) for _ in range(passes)]
        columns.append(np.concatenate(turns)[:num_blocks])
    return rng.permuted(np.stack(columns, axis=1), axis=1)


def in_turn(members: np.ndarray, patients: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """`members` shuffled so that each patient's first comes before any patient's second."""
    shuffled = rng.permutation(members)
    seen: Counter = Counter()
    turns = []
    for index in shuffled:
        turns.append(seen[patients[index]])
        seen[patients[index]] += 1
    return shuffled[np.argsort(turns, kind='stable')]
