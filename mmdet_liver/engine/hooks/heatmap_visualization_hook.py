"""Ground-truth and predicted heat maps of a few val images, drawn while a CenterNet trains."""

from collections.abc import Sequence
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import input_error
from mmdet_liver.heatmaps.maps import caption
from mmdet_liver.heatmaps.reading import (
    chosen_images,
    class_names,
    read_heatmaps,
    require_centernet,
)
from mmdet_liver.heatmaps.sheet import draw_sheet


@HOOKS.register_module()
class HeatmapVisualizationHook(Hook):
    """Show what a CenterNet should predict on a few val images, and what it does predict.

    Drawn as validation begins, with the weights that are validated (those of `EMAHook`,
    if there is one), by the main process alone. The sheet goes to every backend of the
    visualizer, under `name` and the epoch (the iteration in an iteration-based loop);
    MMEngine's `LocalVisBackend` writes it to `vis_data/vis_image/` of the run. The
    numbers go to the log as well. Training is not touched: no BatchNorm statistics, no
    random numbers.

    Args:
        interval: epochs (iterations) between two sheets, of those that are validated; the
            last one is always drawn, and so is a validation without training.
        num_images: images shown, the same ones throughout: of every class and lesion-free
            ones, spread over the val set.
        images: show these instead: file names, or the last parts of paths.
        max_peaks: highest predictions drawn on an image.
        name: of the sheet; no slash, `LocalVisBackend` makes it a file name.
    Raises:
        InputError: for an impossible argument; when training starts, if the model is no
            CenterNet, there is no validation, or an image is not found.
    """

    def __init__(
        self,
        interval: int = 1,
        num_images: int = 6,
        images: Sequence[str] | None = None,
        max_peaks: int = 5,
        name: str = 'heatmaps',
    ) -> None:
        for argument, value, lowest in (
            ('interval', interval, 1),
            ('num_images', num_images, 1),
            ('max_peaks', max_peaks, 0),
        ):
            if type(value) is not int or value < lowest:
                raise _argument_error(f'{argument}={value!r}', f'a whole number from {lowest}')
        if isinstance(images, str):
            raise _argument_error(f'images={images!r}', 'a list of file names')
        if not name or '/' in name:
            raise _argument_error(f'name={name!r}', 'a name without a slash')
        self.interval = interval
        self.num_images = num_images
        self.images = images
        self.max_peaks = max_peaks
        self.name = name
        self._numbers: list[int] | None = None
        self._trains = self._by_iteration = False

    def before_train(self, runner: Runner) -> None:
        """Find out now what would stop the run at its first validation."""
        if runner.val_loop is None:
            raise input_error(
                'HeatmapVisualizationHook',
                'a run without validation',
                'val_dataloader, val_cfg and val_evaluator',
                'set them, or leave the hook out',
            )
        require_centernet(unwrapped(runner.model))
        self._numbers = self._chosen(runner)
        self._trains = True
        self._by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        # Here, and not before the epoch: the model is in eval mode and EMA's weights are in
        # place whatever the hooks' priorities are.
        if batch_idx or not is_main_process():
            return
        step, last = self._progress(runner)
        if not self._trains or is_due(step, self.interval, last):
            self._draw(runner, step)

    def after_train(self, runner: Runner) -> None:
        self._trains = False

    def _draw(self, runner: Runner, step: int) -> None:
        model, dataset = unwrapped(runner.model), runner.val_dataloader.dataset
        require_centernet(model)
        if self._numbers is None:
            self._numbers = self._chosen(runner)
        fp16 = getattr(runner.val_loop, 'fp16', False)
        images = [
            read_heatmaps(model, dataset, number, max_peaks=self.max_peaks, fp16=fp16)
            for number in self._numbers
        ]
        unit = 'iteration' if self._by_iteration else 'epoch'
        title = f'{unit} {step}' if self._trains else 'validation'
        runner.visualizer.add_image(
            self.name, draw_sheet(images, class_names(dataset), title), step
        )
        lines = '\n'.join(f'{maps.name}: {caption(maps)}' for maps in images)
        runner.logger.info(f'HeatmapVisualizationHook, {title}\n{lines}')

    def _chosen(self, runner: Runner) -> list[int]:
        return chosen_images(runner.val_dataloader.dataset, self.num_images, self.images)

    def _progress(self, runner: Runner) -> tuple[int, int]:
        if self._by_iteration:
            return runner.iter, runner.max_iters
        return runner.epoch, runner.max_epochs


def is_due(step: int, interval: int, last: int) -> bool:
    """Whether the validation after `step` epochs or iterations, of `last`, is drawn."""
    return step % interval == 0 or step >= last


def _argument_error(found: str, expected: str) -> Exception:
    return input_error('HeatmapVisualizationHook', found, expected, 'correct the config')
