"""One image of an export into the folder of images, under its new name."""

import errno
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.files import whole_file
from mmdet_liver.preparation.importers.labelme import embedded_image
from mmdet_liver.preparation.importers.metadata import find_metadata, strip_metadata, suffix_of
from mmdet_liver.preparation.importers.source_files import IMAGE_SUFFIXES

# Another file system, one without hard links, or no right to make one.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)


@dataclass(frozen=True)
class Copied:
    """`name` is below the folder of images, None if the image was left out; `metadata` are
    the kinds that the source holds, `stripped` whether they were taken out.
    """

    name: str | None
    metadata: tuple[str, ...] = ()
    stripped: bool = False


def copy_image(
    source: Path, images: Path, link: bool, strip: bool, path_and_stem: tuple[str, str]
) -> Copied:
    """Put one image at `images/STEM.suffix`; a file of the same content there is left alone.

    Args:
        link: hard-link it where that can be done.
        strip: take text metadata out; where that cannot be done the image is left out.
        path_and_stem: path below `source`, and the new name without suffix. The path of a
            LabelMe file stands for the image in it.
    Raises:
        InputError: for a file that is no image.
    """
    path, stem = path_and_stem
    content, suffix = _read(source / path)
    metadata = find_metadata(content)
    stripped = bool(metadata) and strip
    if stripped:
        content = strip_metadata(content)
        if content is None:
            return Copied(None, metadata)
        if suffix_of(content) == '.png':
            suffix = '.png'
    target = images / f'{stem}{suffix}'
    # What is in another file, or was changed, cannot be linked to.
    link = link and not stripped and not _is_labelme(path)
    if not _holds(target, content) and not (link and _link(source / path, target)):
        with whole_file(target) as temporary:
            temporary.write_bytes(content)
    return Copied(f'{stem}{suffix}', metadata, stripped)


def _read(path: Path) -> tuple[bytes, str]:
    """An image file and its suffix, by its content where its name has none that we know."""
    content = embedded_image(path) if _is_labelme(path) else path.read_bytes()
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        suffix = suffix_of(content)
    if suffix is None:
        raise input_error(
            path, 'a file that is no image', ', '.join(IMAGE_SUFFIXES), 'drop it or convert it'
        )
    return content, suffix


def _is_labelme(path: str | Path) -> bool:
    return str(path).lower().endswith('.json')


def _holds(target: Path, content: bytes) -> bool:
    return (
        target.is_file()
        and target.stat().st_size == len(content)
        and target.read_bytes() == content
    )


def _link(source: Path, target: Path) -> bool:
    """Whether `target` could be made a hard link of `source`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source.resolve())
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        return False
    return True
