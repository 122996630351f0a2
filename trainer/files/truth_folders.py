"""Finds which folder of a path names the class, if the classes are known: those of a model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tenfold.trainer.files.class_names import ClassNames

# Deeper folders are ignored.
MAX_DEPTH = 16


@dataclass(frozen=True, order=True)
class TruthLevel:
    """Which folder of a path is the class: the one at `depth` (from 0), counted from the top or from the image."""

    from_top: bool
    depth: int

    def label(self, folder: str, classes: ClassNames) -> str | None:
        """The class of the images in this folder; None if the folder at this level is not a class.

        Args:
            folder: its path, with slashes or backslashes.
        """
        return self._label(split_folder(folder), classes)

    def describe(self, folder: str) -> str:
        """The level in words, with this folder as an example."""
        parts = split_folder(folder)
        name = parts[self._place(len(parts))]
        return f"the folder {name!r} in {folder!r}"

    def _label(self, parts: tuple[str, ...], classes: ClassNames) -> str | None:
        at = self._place(len(parts))
        if not 0 <= at < len(parts):
            return None
        return classes.of_path(parts, at)

    def _place(self, length: int) -> int:
        return self.depth if self.from_top else length - 1 - self.depth


@dataclass(frozen=True)
class TruthFolders:
    """The level that names the true classes, how many images it labels, and whether it is ambiguous.

    Args:
        level: None if no folder names a class.
        labeled: the number of images whose folder at that level is a class.
        images: the number of all images.
        example: a folder with labeled images; empty if there is none.
        doubtful: a folder whose images would have another class by another level; empty if there is none.
    """

    level: TruthLevel | None
    labeled: int
    images: int
    example: str
    doubtful: str


def find_truth(folders: Mapping[str, int], classes: ClassNames) -> TruthFolders:
    """The level at which most images have a folder that is a class; of equal ones, the topmost.

    `7/x.png`, `test/7/x.png` and `7/anna/x.png` are all a 7. As in Keras and torchvision, folders within a class folder
    do not change the class.

    Args:
        folders: the number of images directly in each folder, by its path; `""` is the root.
    """
    split = {folder: split_folder(folder) for folder in folders}
    deepest = max(map(len, split.values()), default=0)
    levels = [TruthLevel(from_top, depth) for from_top in (True, False) for depth in range(deepest)]
    counts = Counter[TruthLevel]()
    for folder, images in folders.items():
        for level in levels:
            if level._label(split[folder], classes) is not None:
                counts[level] += images
    total = sum(folders.values())
    if not counts:
        return TruthFolders(None, 0, total, "", "")
    best = max(levels, key=counts.__getitem__)
    rivals = [level for level in levels if counts[level] == counts[best]]
    example = doubtful = ""
    for folder, parts in split.items():
        label = best._label(parts, classes)
        if label is not None:
            example = example or folder
            others = (level._label(parts, classes) for level in rivals)
            if not doubtful and any(other not in (None, label) for other in others):
                doubtful = folder
    return TruthFolders(best, counts[best], total, example, doubtful)


@lru_cache(4096)
def split_folder(folder: str) -> tuple[str, ...]:
    """The folders in a path with slashes or backslashes."""
    return tuple(part for part in folder.replace("\\", "/").split("/") if part not in ("", "."))[:MAX_DEPTH]
