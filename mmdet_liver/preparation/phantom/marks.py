"""What scanners burn into their images: grey or coloured bars, rulers, text, calipers."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmdet_liver.preparation.phantom.scanners import Style
from mmdet_liver.preparation.phantom.sector import Sector

_RAMPS = {'gray': (255, 255, 255), 'blue': (70, 140, 255), 'yellow': (255, 225, 70)}
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Marks:
    """What one frame carries; `calipers` are boxes of which both axes are measured."""

    header: tuple[str, ...] = ()
    label: str = ''
    bar: bool = True
    calipers: tuple[Box, ...] = ()
    body_mark: bool = False


def burn_in(image: np.ndarray, marks: Marks, style: Style, sector: Sector) -> np.ndarray:
    """(H, W) uint8 -> the image with marks: (H, W), or (H, W, 3) RGB if any is coloured."""
    canvas = Image.fromarray(image)
    used = [style.text] * bool(marks.header or marks.label)
    used += [style.caliper] * bool(marks.calipers)
    bar = _RAMPS[style.bar] if marks.bar and style.bar else None
    used += [bar] if bar else []
    if any(len(set(color)) > 1 for color in used):
        canvas = canvas.convert('RGB')
    draw = ImageDraw.Draw(canvas)
    if bar:
        _bar(canvas, bar)
    if style.ruler:
        _ruler(draw, sector)
    if marks.body_mark:
        _body_mark(draw, sector)
    _text(draw, marks, style, sector)
    for number, box in enumerate(marks.calipers, start=1):
        _caliper(draw, box, number, style, sector)
    return np.asarray(canvas)


def _ink(draw: ImageDraw.ImageDraw, color: tuple[int, int, int]) -> tuple[int, ...] | int:
    return color if draw.mode == 'RGB' else color[0]


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.ImageFont:
    return ImageFont.load_default(size)  # comes with Pillow, the same everywhere


def _font_size(sector: Sector) -> int:
    return max(9, round(min(sector.height / 38, sector.width / 52)))


def _bar(canvas: Image.Image, top_color: tuple[int, int, int]) -> None:
    width, height = max(5, canvas.width // 64), round(canvas.height * 0.3)
    ramp = np.linspace(1, 0, height)[:, None, None] * np.array(top_color)
    ramp = np.repeat(ramp.round().astype(np.uint8), width, axis=1)
    patch = Image.fromarray(ramp if canvas.mode == 'RGB' else ramp[..., 0])
    canvas.paste(patch, (canvas.width - 2 * width - 4, round(canvas.height * 0.12)))


def _ruler(draw: ImageDraw.ImageDraw, sector: Sector) -> None:
    """Ticks every centimetre of depth, longer every five, at the right edge of the image."""
    right = sector.width - 4
    for centimetre in range(int(sector.depth_mm / 10) + 1):
        _, v = sector.to_pixels(np.array(0.0), np.array(10.0 * centimetre))
        length = 7 if centimetre % 5 == 0 else 3
        draw.line([(right - length, int(v)), (right, int(v))], fill=_ink(draw, (190, 190, 190)))


def _text(draw: ImageDraw.ImageDraw, marks: Marks, style: Style, sector: Sector) -> None:
    size = _font_size(sector)
    ink = _ink(draw, style.text)
    places = ((4, 2), (sector.width * 0.42, 2), (sector.width * 0.76, 2), (4, size + 4))
    for line, place in zip(marks.header, places, strict=False):
        draw.text(place, line, fill=ink, font=_font(size))
    lines = marks.label.split('\n')
    for i, line in enumerate(reversed(lines)):
        place = (6, sector.height - (i + 1) * (size + 4) - 2)
        draw.text(place, line, fill=ink, font=_font(size))


def _body_mark(draw: ImageDraw.ImageDraw, sector: Sector) -> None:
    """The little trunk with a bar for the probe, at the lower right."""
    unit = sector.height / 30
    x, y = sector.width - 3.2 * unit, sector.height - 4 * unit
    ink = _ink(draw, (170, 170, 170))
    outline = [(0, 0), (2.4, 0), (2.1, 1.6), (2.3, 3.2), (0.1, 3.2), (0.3, 1.6), (0, 0)]
    draw.line([(x + a * unit, y + b * unit) for a, b in outline], fill=ink)
    draw.line(
        [(x + 0.5 * unit, y + 1.5 * unit), (x + 1.2 * unit, y + 1.1 * unit)], fill=ink, width=3
    )


def _caliper(
    draw: ImageDraw.ImageDraw, box: Box, number: int, style: Style, sector: Sector
) -> None:
    """A cross at both ends of each axis, dots between, and the length at the lower edge."""
    x0, y0, x1, y1 = box
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    ink, arm = _ink(draw, style.caliper), max(3, sector.height // 110)
    tilt = 0.06 * (y1 - y0) * (1 if number % 2 else -1)
    for start, end in (
        ((x0, middle_y - tilt), (x1, middle_y + tilt)),
        ((middle_x + tilt, y0), (middle_x - tilt, y1)),
    ):
        for x, y in (start, end):
            draw.line([(x - arm, y), (x + arm, y)], fill=ink)
            draw.line([(x, y - arm), (x, y + arm)], fill=ink)
        if style.dotted:
            length = np.hypot(end[0] - start[0], end[1] - start[1])
            for share in np.arange(8, length - 6, 6) / max(length, 1):
                x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
                draw.point((round(x), round(y)), fill=ink)
    millimetres = (x1 - x0) * sector.mm_per_pixel, (y1 - y0) * sector.mm_per_pixel
    size = _font_size(sector)
    text = f'D{number} {millimetres[0]:.1f} x {millimetres[1]:.1f} mm'
    place = (sector.width * 0.62, sector.height - number * (size + 3) - 2)
    draw.text(place, text, fill=ink, font=_font(size))
