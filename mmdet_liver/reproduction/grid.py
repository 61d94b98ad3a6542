"""The grid file: which arms, seeds and folds, on which data.

A YAML file; `docs/reproducing.md` lists its keys. Unknown keys are errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES
from mmdet_liver.paths import config_path

_KINDS = {
    int: 'a whole number',
    float: 'a number',
    str: 'a text',
    dict: 'keys with values',
    list: 'a list',
}


@dataclass(frozen=True)
class Data:
    """The images: a folder as `tools/prepare_data.py` writes it, as it is or in folds."""

    root: str
    folds: int | None = None  # None: the split that is there
    fold_seed: int = 0
    val_share: float = 0.1  # of all groups (patients), in each fold


@dataclass(frozen=True)
class Training:
    """One config and what differs from it; `epochs` scales its schedules."""

    config: str = ''
    cfg_options: dict = field(default_factory=dict)
    epochs: int | None = None


@dataclass(frozen=True)
class Pretraining(Training):
    """A backbone: trained once a fold and seed, or a checkpoint that is there."""

    checkpoint: str = ''


@dataclass(frozen=True)
class Arm(Training):
    """A detector; `pretraining` names what its backbone starts from."""

    pretraining: str = ''


@dataclass(frozen=True)
class Grid:
    """A whole grid; arms and pretrainings by name, in the order of the file."""

    path: Path
    data: Data
    arms: dict[str, Arm]
    seeds: tuple[int, ...]
    pretraining: dict[str, Pretraining]
    compare: tuple[tuple[str, str], ...]
    cfg_options: dict  # of every detector
    resamples: int
    group_by: str | None  # key of the images that names the patient; None: the usual one

    @property
    def folds(self) -> int:
        return self.data.folds or 1


def read_grid(path: str | Path, root: str | Path | None = None) -> Grid:
    """Read and check a grid file; whether its configs exist included.

    Args:
        root: of the data, instead of the file's.
    Raises:
        InputError: names the key that is unknown, missing or of the wrong kind.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise input_error(path, error.strerror.lower(), 'a grid file', 'check the path') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = ' '.join(str(error).split())
        raise input_error(path, f'no YAML ({line})', 'a grid file', 'mend it') from None
    known = ('data', 'arms', 'seeds', 'pretraining', 'compare', 'epochs', 'cfg_options')
    known += ('resamples', 'group_by')
    _check_keys(path, content, known, needed=('data', 'arms', 'seeds'))
    epochs = content.get('epochs')
    if epochs is not None:
        _of_kind(f'{path}, epochs', epochs, int, least=1)
    pretraining = {
        name: _build(Pretraining, f'{path}, pretraining, {name}', part)
        for name, part in _section(path, content, 'pretraining').items()
    }
    arms = {
        name: _with_epochs(_build(Arm, f'{path}, arms, {name}', part), epochs)
        for name, part in _section(path, content, 'arms').items()
    }
    data = _build(Data, f'{path}, data', content['data'])
    grid = Grid(
        path=path,
        data=data if root is None else replace(data, root=str(root)),
        arms=arms,
        seeds=_seeds(path, content['seeds']),
        pretraining=pretraining,
        compare=_pairs(path, content.get('compare') or [], arms),
        cfg_options=_section(path, content, 'cfg_options'),
        resamples=_of_kind(f'{path}, resamples', content.get('resamples', RESAMPLES), int),
        group_by=_of_kind(f'{path}, group_by', content.get('group_by') or '', str) or None,
    )
    _check_references(grid)
    return grid


def resolved_config(name: str) -> Path:
    """Path of a config: as given, or one of those that are shipped.

    Raises:
        FileNotFoundError: if it is neither.
    """
    path = Path(name)
    return path.resolve() if path.is_file() else Path(config_path(name.removeprefix('configs/')))


def _build(kind: type, where: str, part: Any) -> Any:
    known = {f.name: f for f in fields(kind)}
    needed = [name for name, f in known.items() if f.default is f.default_factory is MISSING]
    _check_keys(where, part, tuple(known), needed)
    kinds = {'folds': int, 'fold_seed': int, 'val_share': float, 'epochs': int, 'cfg_options': dict}
    values = {
        name: _of_kind(f'{where}, {name}', value, kinds.get(name, str), least=int(name == 'epochs'))
        for name, value in part.items()
        if value is not None
    }
    return kind(**values)


def _with_epochs(arm: Arm, epochs: int | None) -> Arm:
    return replace(arm, epochs=epochs) if arm.epochs is None else arm


def _check_keys(where: object, part: Any, known: Sequence[str], needed: Sequence[str] = ()) -> None:
    if not isinstance(part, Mapping):
        raise input_error(where, f'{part!r}', f'the keys {", ".join(known)}', 'see the docs')
    for key in part:
        if key not in known:
            raise input_error(where, f'the key {key!r}', f'one of {", ".join(known)}', 'correct it')
    for key in needed:
        if part.get(key) in (None, {}, []):
            raise input_error(where, f'no {key!r}', 'a value for it', 'add it')


def _of_kind(where: str, value: Any, kind: type, least: int = 0) -> Any:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise input_error(where, f'{value!r}', _KINDS[kind], 'correct it')
    if kind in (int, float) and value < least:
        raise input_error(where, f'{value}', f'{_KINDS[kind]}, {least} or more', 'correct it')
    return value


def _section(path: Path, content: dict, key: str) -> dict:
    return _of_kind(f'{path}, {key}', content.get(key) or {}, dict)


def _seeds(path: Path, seeds: Any) -> tuple[int, ...]:
    seeds = seeds if isinstance(seeds, list) else [seeds]
    seeds = [_of_kind(f'{path}, seeds', seed, int) for seed in seeds]
    if len(set(seeds)) < len(seeds):
        raise input_error(f'{path}, seeds', f'{seeds}', 'each once', 'drop what comes again')
    return tuple(seeds)


def _pairs(path: Path, pairs: Any, arms: dict) -> tuple[tuple[str, str], ...]:
    names = list(arms)
    for pair in _of_kind(f'{path}, compare', pairs, list):
        if not isinstance(pair, list) or len(pair) != 2 or any(name not in names for name in pair):
            expected = f'two of the arms {", ".join(map(str, names))}'
            raise input_error(f'{path}, compare', f'{pair!r}', expected, 'correct it')
    return tuple(map(tuple, pairs))


def _check_references(grid: Grid) -> None:
    for name in (*grid.arms, *grid.pretraining):
        text = name if isinstance(name, str) else ''
        known = all(c.isalnum() or c in '-_.+' for c in text)
        if not text or not known or text.startswith('.'):
            expected = 'a text of letters, digits, and - _ . + between them'
            raise input_error(f'{grid.path}, {name!r}', 'this name', expected, 'rename it')
    for name, arm in grid.arms.items():
        if arm.pretraining and arm.pretraining not in grid.pretraining:
            expected = f'one of {", ".join(grid.pretraining) or "none, as there are none"}'
            where = f'{grid.path}, arms, {name}, pretraining'
            raise input_error(where, f'{arm.pretraining!r}', expected, 'name one, or add it')
    parts = [(f'arms, {name}', arm) for name, arm in grid.arms.items()]
    parts += [(f'pretraining, {name}', part) for name, part in grid.pretraining.items()]
    for name, part in parts:
        if bool(part.config) == bool(getattr(part, 'checkpoint', '')):
            raise input_error(
                f'{grid.path}, {name}',
                'not one thing to start from',
                'a config, or for a pretraining a checkpoint',
                'give one',
            )
        try:
            part.config and resolved_config(part.config)
        except FileNotFoundError as error:
            raise input_error(
                f'{grid.path}, {name}, config', str(error), 'a config', 'correct it'
            ) from None
    if grid.data.folds is not None and grid.data.folds < 2:
        raise input_error(
            f'{grid.path}, data, folds',
            f'{grid.data.folds}',
            '2 or more',
            'leave it out for the split that is there',
        )
