"""Where the probe stands: the studies and frames of a patient, and what each frame shows."""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.preparation.phantom.lesions import Lesion
from mmdet_liver.preparation.phantom.scanners import DEPTHS_MM, SCANNERS, Scanner
from mmdet_liver.preparation.phantom.sector import Sector
from mmdet_liver.preparation.phantom.ultrasound import Knobs

VISIBLE_SHARE = 0.7  # a lesion less inside the fan than this lies out of the plane
_STUDIES, _STUDY_WEIGHTS = (1, 2, 3), (0.55, 0.33, 0.12)
_FRAMES = (2, 6)  # per study, both included
_MISS = 0.065  # share of frames that pass the lesions by
_TRIES = 12

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class View:
    """Pose of the probe: shift along the skin and across it (z) in mm, tilt in radians."""

    shift: float
    z: float
    tilt: float

    def to_patient(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probe frame -> patient's frame, mm."""
        c, s = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        return c * x - s * y + np.float32(self.shift), s * x + c * y

    def to_probe(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Patient's frame -> probe frame, mm."""
        c, s = np.cos(self.tilt), np.sin(self.tilt)
        return c * (x - self.shift) + s * y, -s * (x - self.shift) + c * y


@dataclass(frozen=True)
class Study:
    """One visit: the machine and its settings stay, and lesions have grown by `growth`."""

    scanner: Scanner
    sector: Sector
    gain: float
    ripple: tuple[float, ...]
    growth: float
    frames: int


def sample_studies(rng: np.random.Generator, lesions: list[Lesion]) -> list[Study]:
    """The visits of a patient, each deep enough for all lesions."""
    number = rng.choice(_STUDIES, p=_STUDY_WEIGHTS)
    weights = np.array([s.weight for s in SCANNERS])
    deepest = max((m.center[1] + max(m.axes) for m in lesions), default=rng.uniform(70, 110))
    studies = []
    for i in range(number):
        scanner = SCANNERS[rng.choice(len(SCANNERS), p=weights / weights.sum())]
        wanted = deepest + rng.uniform(14, 40)
        depth = min(DEPTHS_MM, key=lambda d, wanted=wanted: (d < wanted - 10, abs(d - wanted)))
        study = Study(
            scanner=scanner,
            sector=scanner.sector(depth),
            gain=rng.normal() * 2.2 - 1.5,
            ripple=tuple((rng.normal(size=8) * 2.0).tolist()),
            growth=1 + 0.06 * i * rng.random(),
            frames=int(rng.integers(_FRAMES[0], _FRAMES[1] + 1)),
        )
        studies.append(study)
    return studies


def sample_knobs(rng: np.random.Generator, study: Study) -> Knobs:
    """Settings of one frame of the study, with the patient's breath in the contact."""
    lifted = rng.random(2) < 0.25
    rib = rng.uniform(5, 14) if rng.random() < 0.15 else 0.0
    return Knobs(
        gain=study.gain + rng.normal() * 0.6,
        slope=rng.uniform(-0.075, -0.015),
        ripple=study.ripple,
        contact=tuple((lifted * rng.uniform(0.04, 0.15, 2)).tolist()),
        shadow=(rng.uniform(0.1, 0.9), rng.uniform(0.02, 0.05), rib),
    )


def sample_view(
    rng: np.random.Generator, study: Study, lesions: list[Lesion]
) -> tuple[View, list[tuple[Lesion, Box]]]:
    """A pose of the probe, and the lesions seen from there with their boxes.

    Most views look at one of the lesions; some (and all of a healthy liver) show none.
    Returns:
        the view, and (lesion as cut by the plane, box in pixels xyxy) in the order given.
    """
    if not lesions or rng.random() < _MISS:
        far = rng.uniform(60, 95) * rng.choice((-1, 1))
        return View(rng.uniform(-60, 60), float(far), rng.uniform(-0.2, 0.2)), []
    target = lesions[rng.integers(len(lesions))]
    view, seen = None, []
    for _ in range(_TRIES):
        view = _look_at(rng, study, target)
        seen = visible(view, study, lesions)
        if any(lesion.center == target.center for lesion, _ in seen):
            break
    return view, seen


def visible(view: View, study: Study, lesions: list[Lesion]) -> list[tuple[Lesion, Box]]:
    """The lesions that the plane cuts well inside the fan, and their boxes."""
    cuts = [lesion.grown(study.growth).cut(view.z) for lesion in lesions]
    boxes = [cut and lesion_box(view, study.sector, cut) for cut in cuts]
    return [(cut, box) for cut, box in zip(cuts, boxes, strict=True) if cut and box]


def lesion_box(view: View, sector: Sector, lesion: Lesion) -> Box | None:
    """Tight box around what is shown of a lesion, whole pixels xyxy; None if too little is."""
    x, y = view.to_probe(*lesion.points())
    shown = sector.contains(x, y)
    if shown.mean() < VISIBLE_SHARE:
        return None
    u, v = sector.to_pixels(x[shown], y[shown])
    low = np.floor([max(u.min(), 0), max(v.min(), 0)])
    high = np.ceil([min(u.max(), sector.width), min(v.max(), sector.height)])
    return tuple(float(value) for value in (*low, *high))


def _look_at(rng: np.random.Generator, study: Study, target: Lesion) -> View:
    tilt = rng.normal() * 0.1
    aside = rng.uniform(-0.7, 0.7) * np.radians(study.sector.half_angle)
    x, y, z = target.center
    off_axis = np.tan(aside + tilt) * (y + study.sector.radius_mm)
    off_axis -= np.tan(tilt) * study.sector.radius_mm
    return View(float(x - off_axis), float(z + rng.uniform(-0.45, 0.45) * target.radius), tilt)
