"""Which files were evaluated, so that a report can be traced to them."""

from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.files import file_sha256


@dataclass(frozen=True)
class Inputs:
    """The files of an evaluation."""

    ground_truth: str | Path
    results: str | Path
    compared_with: str | Path | None = None

    def content(self) -> list[dict]:
        """Role, name and hash of each; the folders are the user's own affair."""
        return [
            {'role': role.replace('_', ' '), 'file': Path(path).name, 'sha256': file_sha256(path)}
            for role, path in vars(self).items()
            if path is not None
        ]
