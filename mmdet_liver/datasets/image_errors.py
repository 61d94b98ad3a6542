"""Image files that cannot be trained on are named, whichever data set they belong to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmdet_liver.errors import InputError
from mmdet_liver.images import check_image_file, read_image


@contextmanager
def naming_broken_image(img_path: str, backend_args: dict | None = None) -> Iterator[None]:
    """Around `prepare_data`, so that any pipeline and any loader of images may be used.

    OpenCV decodes the rest of a truncated JPEG as grey without an error, hence the check
    before. It costs a look at the file's start and end; only after a failure is every
    pixel decoded to see whether the image is to blame. Images that are not on a local
    disk are left to the loader.

    Args:
        backend_args: of the data set, as MMEngine's file backends take them.
    Raises:
        InputError: naming the image, if it is missing, truncated or damaged.
    """
    local = '://' not in img_path and (backend_args or {}).get('backend', 'local') == 'local'
    # What is missing may lie in a store that only the pipeline's loader knows.
    if local and Path(img_path).exists():
        check_image_file(img_path)
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if local and (isinstance(error, FileNotFoundError) or Path(img_path).exists()):
            read_image(img_path)
        raise
