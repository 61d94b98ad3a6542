"""Image files that cannot be trained on are named, whichever data set they belong to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from mmdet_liver.errors import InputError, input_error
from mmdet_liver.images import check_image_file, read_image


def require_images(img_paths: Sequence[str], ann_file: str, allow_none: bool = False) -> None:
    """Refuse a data set of which images are missing, before the training meets them.

    Args:
        allow_none: take it that the images lie in another store (LMDB, an object store)
            when not one of them is on disk.
    Raises:
        InputError: with the number of missing images and the first of them.
    """
    missing = [path for path in img_paths if not Path(path).is_file()]
    if missing and not (allow_none and len(missing) == len(img_paths)):
        raise input_error(
            ann_file,
            f'{len(missing)} of {len(img_paths)} images that do not exist, first {missing[0]}',
            'every image on disk',
            "check the data set's data_root and data_prefix",
        )


@contextmanager
def naming_broken_image(img_path: str, backend_args: dict | None = None) -> Iterator[None]:
    """Around `prepare_data`, so that any pipeline and any loader of images may be used.

    OpenCV decodes the rest of a truncated JPEG as grey without an error, hence the check
    before. It costs a look at the file's start and end, once in each process; only after a
    failure is every pixel decoded to see whether the image is to blame. Images that are not
    on a local disk are left to the loader.

    Args:
        backend_args: of the data set, as MMEngine's file backends take them.
    Raises:
        InputError: naming the image, if it is missing, truncated or damaged.
    """
    local = is_local(img_path, backend_args)
    # What is missing may lie in a store that only the pipeline's loader knows.
    if local and Path(img_path).exists():
        status = Path(img_path).stat()
        _check_once(img_path, status.st_mtime_ns, status.st_size)
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if local and (isinstance(error, FileNotFoundError) or Path(img_path).exists()):
            read_image(img_path)
        raise


def is_local(img_path: str, backend_args: dict | None = None) -> bool:
    """Whether the image is a file of a local disk, not an object of another store."""
    return '://' not in img_path and (backend_args or {}).get('backend', 'local') == 'local'


@lru_cache(maxsize=2**16)
def _check_once(img_path: str, mtime: int, size: int) -> None:
    # Every epoch reads every image: one look at a file is enough until it changes. An error
    # is not remembered. Over a network the look costs more than all of the pipeline.
    check_image_file(img_path)
