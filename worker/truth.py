"""Which class the folder of an image names: the plan finds the level of folders, the shards look classes up."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from trainer.naming.class_names import ClassNames
from trainer.naming.truth_folders import TruthLevel, find_truth
from worker.sources.names import split_name

# Folders that are told to a person.
MAX_TOLD = 20

# Where a plan of version 0.1.0 says nothing: the image's own folder.
INNERMOST = TruthLevel(from_top=False, depth=0)


class FolderTruth:
    """The class that a member's folder names.

    Args:
        about: what `find_folder_truth` found; None where an older plan did not look.
    """

    def __init__(self, about: Mapping[str, Any] | None, classes: ClassNames) -> None:
        self._classes = classes
        level = about.get("level") if about else None
        self._level = TruthLevel(*level) if level else None if about else INNERMOST
        self._of_folder = lru_cache(4096)(self._look_up)

    def of(self, name: str) -> str | None:
        """The class of the image with this name, or None."""
        return self._of_folder(split_name(name)[0])

    def _look_up(self, folder: str) -> str | None:
        return self._level.label(folder, self._classes) if self._level else None


def find_folder_truth(folders: Mapping[str, int], classes: ClassNames) -> dict[str, Any]:
    """Which level of the folders names classes, for the job's row.

    Args:
        folders: how many images lie directly in each.

    Returns:
        `level` (`TruthLevel` as a list; None where no folder names a class), `where` (the level in words), `doubtful`
        (a folder whose images another level would have given another class, or an empty text), and `unmatched`, the
        folders with the most images of those that name no class there.
    """
    found = find_truth(folders, classes)
    level = found.level
    unmatched = Counter({folder: images for folder, images in folders.items() if folder})
    if level:
        unmatched = Counter({folder: n for folder, n in unmatched.items() if level.label(folder, classes) is None})
    return {
        "level": [level.from_top, level.depth] if level else None,
        "where": _in_words(level, found.example) if level else None,
        "doubtful": found.doubtful[:200],
        "unmatched": {folder[:200]: images for folder, images in unmatched.most_common(MAX_TOLD)},
        "images_unmatched": unmatched.total(),
    }


def _in_words(level: TruthLevel, example: str) -> str:
    """The level by the example of a folder: where that is one folder only, without its path."""
    return level.describe(example) if "/" in example else f"the folder {example!r}"


def about_truth(detail: Mapping[str, Any], matched: Mapping[str, Any] | None, labelled: int) -> dict[str, Any]:
    """Where the true classes of a classification's images come from: the `truth` of its summary.

    Args:
        detail: that of the job, as its plan left it: `folders`, `manifest`, `unused_tables`.
        matched: what `manifest_matching` found; None without a manifest.
        labelled: answered images whose true class is known.
    """
    folders, manifest, matched = detail.get("folders") or {}, detail.get("manifest") or {}, matched or {}
    source = "manifest" if matched.get("images_with_truth") else "folders" if labelled else None
    return {
        "source": source,
        "folder_level": folders.get("where"),
        "folder_doubtful": folders.get("doubtful") or None,
        "unmatched_folders": folders.get("unmatched", {}),
        "images_in_unmatched_folders": folders.get("images_unmatched", 0),
        "manifest": manifest.get("file"),
        "manifest_rows": manifest.get("rows"),
        "has_header": manifest.get("has_header"),
        "truth_column": manifest.get("truth_column"),
        "duplicates": manifest.get("duplicates"),
        "matched": matched.get("manifest_rows_matched"),
        "images_matched": matched.get("images_matched"),
        "images_with_truth": matched.get("images_with_truth", labelled),
        "unmatched_names": matched.get("unmatched_names", []),
        "unmatched": matched.get("unmatched", {}),
        "images_unmatched": matched.get("images_unmatched", 0),
        "unused_tables": detail.get("unused_tables", {}),
    }
