"""What a probe does with the lesions, whatever network is probed: its settings in one place."""

from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES
from mmdet_liver.probing.neighbours import TEMPERATURE


@dataclass(frozen=True)
class Protocol:
    """Whose lesions are looked at, how they are cut out, and how their neighbours vote."""

    train: Path
    val: Path
    image_root: Path
    crop_size: int = 96
    context: float = 1.5
    k: int = 20
    temperature: float = TEMPERATURE
    resamples: int = RESAMPLES
    seed: int = 0
