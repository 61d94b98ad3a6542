"""The images of COCO files, each with what binds it to others and where its file lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from mmdet_liver.preparation.checking.reading import CocoFile, path_of, text_of


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One image as one file lists it.

    Attributes:
        file: name of the COCO file.
        part: number of the file; files of one split have the same, and share their images.
        name: `file_name` as it stands there.
        root, inner: folder of the images (empty where unknown), and path below it.
        size: width and height in pixels as the file has them; None where it has not.
        patient, study, cluster: ids as text; empty where unknown.
    """

    file: str
    part: int
    name: str
    root: str
    inner: str
    size: tuple[int, int] | None
    patient: str
    study: str
    cluster: str

    @property
    def path(self) -> str:
        """As `full_path` gives it."""
        return full_path(self.root, self.inner)


def full_path(root: str, inner: str) -> str:
    """Where an image lies: the same for the same file; `root` is empty where unknown."""
    return f'{root}/{inner}' if root else inner


def list_images(files: Sequence[CocoFile], roots: Sequence[str]) -> list[ListedImage]:
    """Every image that has a file name, in the order of the files.

    Args:
        roots: folder of the images of each file; empty where unknown.
    """
    numbers = count()
    parts: dict[object, int] = {}
    listed = []
    for file, root in zip(files, roots, strict=True):
        part = parts.setdefault(file.version_of or file.name, next(numbers))
        listed += [_listed(i, file.name, part, root) for i in file.images if path_of(i)]
    return listed


def _listed(image: dict, file: str, part: int, root: str) -> ListedImage:
    has_size = 'width' in image and 'height' in image
    return ListedImage(
        file=file,
        part=part,
        name=image['file_name'],
        root=root,
        inner=path_of(image),
        size=(image['width'], image['height']) if has_size else None,
        patient=text_of(image, 'patient_id'),
        study=text_of(image, 'study_id'),
        cluster=text_of(image, 'cluster_id'),
    )
