"""The whole probe: from checkpoints and annotation files to a folder of numbers and pictures."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from mmdet_liver.errors import input_error
from mmdet_liver.probing.arms import (
    MAJORITY_NAME,
    PIXELS_NAME,
    RANDOM_NAME,
    Arm,
    Voting,
    baseline_arms,
)
from mmdet_liver.probing.assessment import Assessment, assess
from mmdet_liver.probing.lesion_crops import read_lesions
from mmdet_liver.probing.maps import draw_map, require_map_maker
from mmdet_liver.probing.neighbour_sheets import draw_neighbours
from mmdet_liver.probing.network_arms import NetworkOptions, network_arms
from mmdet_liver.probing.protocol import Protocol
from mmdet_liver.probing.report import write_numbers


def run_probe(
    checkpoints: Sequence[str],
    protocol: Protocol,
    options: NetworkOptions,
    out_dir: Path,
    maps: bool = True,
) -> Assessment:
    """Probe all checkpoints and the baselines, and write the folder.

    Args:
        checkpoints: each PATH or NAME=PATH.
        maps: draw maps too, for which scikit-learn is needed.
    Raises:
        InputError: for files that are missing or do not fit each other.
    """
    if maps:
        require_map_maker()
    named = named_checkpoints(checkpoints)
    p = protocol
    lesions = read_lesions(p.train, p.val, p.image_root, p.crop_size, p.context)
    voting = Voting(*lesions, p.k, p.temperature)
    arms = [*network_arms(named, voting, options), *baseline_arms(voting)]
    assessment = assess(arms, voting.val, p.resamples, p.seed)
    write_numbers(out_dir, assessment, _setting(protocol, options, voting))
    names = file_names([arm.name for arm in arms])
    for arm, name in tqdm(list(zip(arms, names, strict=True)), 'pictures', disable=None):
        _draw(arm, name, voting, out_dir, maps)
    return assessment


def named_checkpoints(given: Sequence[str]) -> list[tuple[str, str]]:
    """Name and path of each; without a name of its own it has its folder's and its file's.

    Raises:
        InputError: if two have the same name, or one has that of a baseline.
    """
    named, taken = [], {RANDOM_NAME, PIXELS_NAME, MAJORITY_NAME}
    for text in given:
        name, _, path = text.partition('=')
        if not path or not name or Path(text).exists():
            name, path = '/'.join(Path(text).with_suffix('').parts[-2:]), text
        if name in taken:
            raise input_error(text, f'the name {name} again', 'each once', 'give NAME=PATH')
        taken.add(name)
        named.append((name, path))
    return named


def file_names(names: Sequence[str]) -> list[str]:
    """A part of a file name for each arm: no odd characters, no two alike."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r'[^\w.-]+', '_', name).strip('_.') or 'arm'
        number = 2
        unique = plain
        # Some file systems do not tell capitals from small letters.
        while unique.lower() in {other.lower() for other in found}:
            unique, number = f'{plain}_{number}', number + 1
        found.append(unique)
    return found


def _draw(arm: Arm, name: str, voting: Voting, folder: Path, maps: bool) -> None:
    if arm.features is None:
        return
    train, val = voting.train, voting.val
    several = f' (first of {len(arm.predicted)} seeds)' if len(arm.predicted) > 1 else ''
    title = arm.name + several
    found, guess = arm.features, arm.predicted[0]
    sheet = folder / f'neighbours_{name}.png'
    draw_neighbours(train, val, found.neighbours, guess, sheet, title=title)
    if maps:
        # One file against itself: every lesion would stand on the map beside its twin.
        kept = slice(0 if train.truth.file_names == val.truth.file_names else None)
        parts = (found.train[kept], train.labels[kept]), (found.val, val.labels)
        draw_map(*parts, train.classes, folder / f'map_{name}.png', title=title)


def _setting(protocol: Protocol, options: NetworkOptions, voting: Voting) -> dict:
    train, val = voting.train, voting.val
    return {
        **{key: str(v) if isinstance(v, Path) else v for key, v in asdict(protocol).items()},
        **asdict(options),
        'train_lesions': len(train.labels),
        'val_lesions': len(val.labels),
        # Left out of each other's neighbours; none, where the split is by patient.
        'groups_in_both': len(set(train.groups.tolist()) & set(val.groups.tolist())),
    }
