"""What finished jobs left in their folders, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.coco_files import read_json
from mmdet_liver.evaluation.arrays import Truth, merge_classes
from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.scoring import ChosenOn, Evaluation, evaluate
from mmdet_liver.reproduction.plan import ARM, Job
from mmdet_liver.reproduction.running import done_marker, missing_steps
from mmdet_liver.reproduction.steps import REPORT, TEST, TRAIN, VAL
from mmdet_liver.taxonomy import TUMOR


@dataclass(frozen=True)
class Outcome:
    """One finished arm on one fold with one seed; `evaluation.chosen_on` is that of val."""

    job: Job
    evaluation: Evaluation
    metrics: dict  # of the report
    seconds: float  # of the training, pretraining not included
    device: str


class Outcomes:
    """Reads finished jobs; ground truths are read once, as many runs share them."""

    def __init__(self) -> None:
        self._truths: dict[tuple[str, bool], Truth] = {}

    def of(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcomes of those arms among the jobs that are finished."""
        return [self._read(job) for job in jobs if job.kind == ARM and not missing_steps(job)]

    def _read(self, job: Job) -> Outcome:
        command = next(step.command for step in job.steps if step.name == REPORT)
        test_file, val_file = command[2], command[command.index('--choose-thr-on') + 1]
        single = '--single-class' in command
        val = self._evaluate(job, VAL, val_file, single)
        trained = done_marker(job, TRAIN)
        return Outcome(
            job=job,
            evaluation=self._evaluate(job, TEST, test_file, single, ChosenOn(val, VAL)),
            metrics=read_json(job.folder / REPORT / 'metrics.json', 'a metrics.json'),
            seconds=trained['seconds'],
            device=trained['device'],
        )

    def _evaluate(
        self, job: Job, split: str, truth_file: str, single: bool, chosen: ChosenOn | None = None
    ) -> Evaluation:
        key = truth_file, single
        if key not in self._truths:
            truth = read_truth(truth_file)
            self._truths[key] = merge_classes(truth, TUMOR) if single else truth
        truth = self._truths[key]
        results = Path(job.folder, split, 'results.json')
        return evaluate(truth, read_detections(results, truth), score_thr=chosen)
