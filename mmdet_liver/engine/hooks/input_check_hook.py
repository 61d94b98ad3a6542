"""Does the model fit the data set and the checkpoint? Asked before the first step."""

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import InputError, input_error
from mmdet_liver.models.state_dicts import mismatches


@HOOKS.register_module()
class InputCheckHook(Hook):
    """Refuse a head with another number of classes than the data set, and a foreign checkpoint.

    MMEngine loads a checkpoint without asking that it fits: what does not match stays
    random, and `test.py` then reports the score of a random network. Testing and
    resuming need every tensor; training from `load_from` may take a part, as a head for
    other classes has to, and gets a warning.

    Raises:
        InputError: naming both numbers, or the first tensors that do not match.
    """

    def __init__(self) -> None:
        self._misfit: InputError | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember what does not fit; whether it matters depends on what runs next.

        Not so when a run is resumed: the optimizer's state, loaded next, fits even less.
        """
        wanted = unwrapped(runner.model).state_dict()
        problems = mismatches(checkpoint.get('state_dict', checkpoint), wanted)
        self._misfit = None
        if problems:
            shown = ', '.join(problems[:3]) + (', ...' if len(problems) > 3 else '')
            self._misfit = input_error(
                'checkpoint',
                f'{len(problems)} tensors that do not fit ({shown})',
                'the architecture of the config',
                'give the config that the checkpoint was trained with',
            )
        if self._misfit and runner.cfg.get('resume'):
            raise self._misfit

    def before_train(self, runner: Runner) -> None:
        _check_classes(runner, runner.train_dataloader.dataset)
        if self._misfit:
            runner.logger.warning(f'{self._misfit} (training goes on with the rest)')
        self._misfit = None  # from here on the weights are the run's own

    def before_val(self, runner: Runner) -> None:
        self._refuse(runner, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        self._refuse(runner, runner.test_dataloader.dataset)

    def _refuse(self, runner: Runner, dataset: Any) -> None:
        _check_classes(runner, dataset)
        if self._misfit:
            raise self._misfit


def _check_classes(runner: Runner, dataset: Any) -> None:
    head = getattr(unwrapped(runner.model), 'bbox_head', None)
    num_classes = getattr(head, 'num_classes', None)
    # MMDetection's ConcatDataset holds a list where its parts differ.
    metainfo = getattr(dataset, 'metainfo', {})
    for part in metainfo if isinstance(metainfo, list) else [metainfo]:
        classes = part.get('classes')
        if num_classes is not None and classes is not None and num_classes != len(classes):
            raise input_error(
                f"the config's model.bbox_head ({type(head).__name__})",
                f'num_classes={num_classes}',
                f'{len(classes)}, for the classes {", ".join(classes)} of the data set',
                'set model.bbox_head.num_classes, or the metainfo of the data set',
            )
