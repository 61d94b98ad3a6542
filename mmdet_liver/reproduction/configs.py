"""What a grid changes in a config: options as the host's `--cfg-options` takes them."""

import argparse
import copy
import functools
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mmdet_liver.errors import input_error

DATA_VARIABLE = 'LIVER_DATA'
_CACHE_VARIABLE = 'LIVER_CACHE'  # where decoded images are kept changes no number
# In place of a folder, so that what a config says does not hang on where the data lie.
ANYWHERE = 'DATA/'
_ENDS = ('end', 'T_max')
_HOSTS_PARSER = argparse.ArgumentParser()
_HOSTS_PARSER.add_argument('--cfg-options', nargs='+', action=DictAction)


def load_config(path: str | Path, options: Mapping[str, Any], data: str = ANYWHERE) -> Config:
    """Read a config with the options merged in, registering nothing.

    Args:
        data: what stands for the data folder in it.
    Raises:
        InputError: if the config cannot be read or an option does not fit it.
    """
    try:
        config = copy.deepcopy(_read(str(path), data))
        config.merge_from_dict(dict(options))
    except Exception as error:  # a config is a program: it may raise anything
        line = ' '.join(f'{type(error).__name__}: {error}'.split())
        raise input_error(path, line, 'a config and options that fit it', 'mend it') from None
    return config


def flat_options(options: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Nested keys joined by dots: {'a': {'b': 1}} -> {'a.b': 1}."""
    flat = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            flat.update(flat_options(value, f'{prefix}{key}.'))
        else:
            flat[f'{prefix}{key}'] = value
    return flat


def as_arguments(options: Mapping[str, Any]) -> list[str]:
    """The words after `--cfg-options`.

    Raises:
        InputError: for a value that the host's parser would read as another.
    """
    words = [f'{key}={_written(value)}' for key, value in options.items()]
    for word, (key, value) in zip(words, options.items(), strict=True):
        if _as_read(word, key) != value:
            raise input_error(
                f'cfg_options, {key}',
                f'{value!r}',
                'numbers, lists of them, and texts without blanks or commas',
                'put it in a config, or choose another path',
            )
    return words


def epoch_options(config: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """What makes a run of so many epochs: every schedule that counts in epochs is scaled.

    Starts, ends, cosine lengths and milestones of the learning rate, the epochs and the rise
    of `StepwiseUnfreezeHook` and the last epochs of `YOLOXModeSwitchHook`. A warm-up that
    counts iterations stays. Validation and checkpoints come at least once.
    """
    loop = config['train_cfg']
    share = epochs / loop['max_epochs']
    options: dict[str, Any] = {'train_cfg.max_epochs': epochs}
    if loop.get('val_interval', 1) > epochs:
        options['train_cfg.val_interval'] = epochs
    interval = (config.get('default_hooks') or {}).get('checkpoint', {}).get('interval', 1)
    if interval > epochs:
        options['default_hooks.checkpoint.interval'] = epochs
    schedulers = config.get('param_scheduler') or []
    for i, scheduler in enumerate([schedulers] if isinstance(schedulers, Mapping) else schedulers):
        where = 'param_scheduler' if isinstance(schedulers, Mapping) else f'param_scheduler.{i}'
        options.update({f'{where}.{k}': v for k, v in _scaled_scheduler(scheduler, share)})
    for i, hook in enumerate(config.get('custom_hooks') or []):
        options.update({f'custom_hooks.{i}.{k}': v for k, v in _scaled_hook(hook, share)})
    return options


def lesion_metric(config: Mapping[str, Any], evaluator: str, path: object) -> tuple[int, str]:
    """Place of the `LesionF1Metric` in a list of evaluators, and its ground truth.

    Raises:
        InputError: if there is none.
    """
    found = config.get(evaluator)
    for i, metric in enumerate(found if isinstance(found, list) else []):
        if metric['type'].rpartition('.')[2] == 'LesionF1Metric':
            return i, metric['ann_file']
    raise input_error(
        path, f'no LesionF1Metric in the list {evaluator}', 'one', 'base it on one of our data sets'
    )


@functools.cache
def _read(path: str, data: str) -> Config:
    # A grid asks for the same few configs once a fold and seed.
    logging.disable(logging.INFO)  # MMEngine tells of each use of the variable
    try:
        with _variables({DATA_VARIABLE: data, _CACHE_VARIABLE: ANYWHERE}):
            return Config.fromfile(path, import_custom_modules=False)
    finally:
        logging.disable(logging.NOTSET)


def _scaled_scheduler(scheduler: Mapping[str, Any], share: float) -> Iterator[tuple[str, Any]]:
    if not scheduler.get('by_epoch', True):
        return
    begin = round(scheduler.get('begin', 0) * share)
    if scheduler.get('begin'):
        yield 'begin', begin
    for key in _ENDS:
        value = scheduler.get(key)
        if value is not None and math.isfinite(value):
            # An end at or before the begin is refused by MMEngine.
            yield key, max(round(value * share), 1, begin + 1 if key == 'end' else 1)
    if 'milestones' in scheduler:
        yield 'milestones', sorted({max(round(m * share), 1) for m in scheduler['milestones']})


def _scaled_hook(hook: Mapping[str, Any], share: float) -> Iterator[tuple[str, Any]]:
    name = hook['type'].rpartition('.')[2]
    if name == 'StepwiseUnfreezeHook' and hook.get('unit', 'epoch') == 'epoch':
        # The last of those that now start together holds, as it would have in the end.
        scaled = {round(start * share): frozen for start, frozen in hook['schedule']}
        yield 'schedule', list(scaled.items())
        if hook.get('lr_rise'):
            yield 'lr_rise', hook['lr_rise'] * share
    if name == 'YOLOXModeSwitchHook':
        yield 'num_last_epochs', math.ceil(hook['num_last_epochs'] * share)


def _as_read(word: str, key: str) -> Any:
    try:
        return _HOSTS_PARSER.parse_args(['--cfg-options', word]).cfg_options[key]
    except AssertionError:  # brackets that do not close
        return None


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        inside = ','.join(map(_written, value))
        return f'[{inside}]' if isinstance(value, list) else f'({inside})'
    return str(value)


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
