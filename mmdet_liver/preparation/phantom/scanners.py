"""The hospital's scanners: screen size, probe, processing, what each burns into its images."""

from dataclasses import dataclass

from mmdet_liver.preparation.phantom.sector import Sector
from mmdet_liver.preparation.phantom.ultrasound import Processing

DEPTHS_MM = (90, 100, 110, 120, 130, 140, 150, 160)


@dataclass(frozen=True)
class Style:
    """Colours (RGB) and places of the marks; `bar` is 'gray', 'blue', 'yellow' or ''."""

    bar: str
    text: tuple[int, int, int] = (215, 215, 215)
    caliper: tuple[int, int, int] = (235, 235, 235)
    dotted: bool = True
    header: bool = True
    ruler: bool = True


@dataclass(frozen=True)
class Scanner:
    """One machine; `weight` is its share of the studies, `suffix` its image format."""

    name: str
    width: int
    height: int
    radius_mm: float
    half_angle: float
    processing: Processing
    style: Style
    weight: float
    center: float = 0.5
    suffix: str = '.png'

    def sector(self, depth_mm: float) -> Sector:
        top = 0.09 if self.style.header else 0.03
        return Sector(
            self.width, self.height, self.radius_mm, self.half_angle, depth_mm, self.center, top
        )


_YELLOW, _CYAN, _GREEN = (240, 220, 60), (90, 220, 230), (90, 230, 110)
_WARM, _WHITE = (250, 200, 120), (235, 235, 235)

SCANNERS = (
    Scanner(
        'A5', 640, 480, 60, 31, Processing(58, 2, 0.35, (1.0, 1.7), 1.0, 0.4), Style('gray'), 0.22
    ),
    Scanner(
        'LX9', 800, 600, 50, 35, Processing(62, 3, 0.32, (1.0, 1.6), 1.05, 0.5),
        Style('blue', caliper=_YELLOW), 0.18, center=0.53,
    ),
    Scanner(
        'SonoQ', 512, 512, 60, 29, Processing(55, 2, 0.4, (1.1, 1.9), 0.95, 0.3),
        Style('yellow', text=_WARM), 0.12,
    ),
    Scanner(
        'T7', 720, 540, 55, 33, Processing(60, 3, 0.35, (1.0, 1.8), 1.1, 0.6),
        Style('gray', caliper=_GREEN, dotted=False), 0.18, center=0.48,
    ),
    Scanner(
        'E2', 640, 480, 50, 36, Processing(54, 2, 0.4, (1.2, 2.1), 1.0, 0.5),
        Style('', ruler=False), 0.1, suffix='.jpg',
    ),
    Scanner(
        'V3', 768, 576, 60, 30, Processing(60, 2, 0.3, (1.0, 1.6), 1.0, 0.5),
        Style('blue', text=_CYAN, caliper=_CYAN), 0.08,
    ),
    Scanner(
        'P1', 400, 400, 60, 30, Processing(54, 1, 0.45, (1.1, 1.9), 1.0, 0.4),
        Style('gray', header=False), 0.05,
    ),
    Scanner(
        'H0', 320, 240, 60, 32, Processing(50, 1, 0.5, (1.2, 2.0), 1.0, 0.4),
        Style('', header=False, ruler=False), 0.04,
    ),
    Scanner(
        'K4', 390, 420, 50, 27, Processing(58, 2, 0.4, (1.0, 1.8), 1.05, 0.4),
        Style('yellow', header=False, caliper=_YELLOW), 0.03,
    ),
)  # fmt: skip
