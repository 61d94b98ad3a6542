"""How DICOM files are imported; each option is told by `tools/import_data.py dicom --help`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmdet_liver.preparation.importers.vocabulary import Vocabulary

# A scanner saves some 30 frames a second, and neighbours differ in little but speckle. Near
# duplicates are clustered by chains, so that with every frame a whole sweep of the probe
# would become one cluster, and one image be kept of it. Three frames a second remain.
FRAME_STEP = 10


@dataclass(frozen=True)
class DicomOptions:
    """What is taken, and what is done to it.

    Attributes:
        frame_step: of a clip, every so many frames one is taken, from the first on.
        keep_marks: leave what the scanner burned into the tissue where it is.
        annotations: CSV with lesions; without it nothing is known about any frame.
        columns: field -> header of the CSV's columns that are named otherwise.
        include_unlisted: with `annotations`, take what it does not name too.
        skip_unreadable: leave damaged files out instead of stopping at the end.
        modalities: those that are taken, as the header names them.
    """

    frame_step: int = FRAME_STEP
    keep_marks: bool = False
    annotations: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    include_unlisted: bool = False
    skip_unreadable: bool = False
    modalities: tuple[str, ...] = ('US',)
    workers: int = 1
