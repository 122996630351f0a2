"""True labels from folder names: the plan finds the level of folders, the shards look up the classes."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tenfold.files.names import split_name
from tenfold.trainer.files.class_names import ClassNames
from tenfold.trainer.files.truth_folders import TruthLevel, find_truth

# Folders named in the summary.
MAX_NAMED = 20

# The level used for a plan of version 0.1.0: the image's own folder.
INNERMOST = TruthLevel(from_top=False, depth=0)


class FolderLabels:
    """Looks up the class named by a member's folder.

    Args:
        about: from `find_folder_labels`; None for a plan of version 0.1.0.
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


def find_folder_labels(folders: Mapping[str, int], classes: ClassNames) -> dict[str, Any]:
    """Find the level of folders that names classes, for the job's row.

    Args:
        folders: number of images directly in each.

    Returns:
        `level` (`TruthLevel` as a list; None where no folder names a class), `where` (the level in words), `ambiguous`
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
        "ambiguous": found.doubtful[:200],
        "unmatched": {folder[:200]: images for folder, images in unmatched.most_common(MAX_NAMED)},
        "images_unmatched": unmatched.total(),
    }


def _in_words(level: TruthLevel, example: str) -> str:
    """The level in words, with an example."""
    return level.describe(example) if "/" in example else f"the folder {example!r}"


def about_true_labels(detail: Mapping[str, Any], matched: Mapping[str, Any] | None, labeled: int) -> dict[str, Any]:
    """Where the true labels of a classification come from: `true_labels` in its summary.

    Args:
        detail: of the job, from its plan: `folders`, `manifest`, `unused_tables`.
        matched: from `match_manifest`; None without a manifest.
        labeled: number of answered images with a true label.
    """
    folders, manifest, matched = detail.get("folders") or {}, detail.get("manifest") or {}, matched or {}
    source = "manifest" if matched.get("images_with_true_label") else "folders" if labeled else None
    return {
        "source": source,
        "folder_level": folders.get("where"),
        "ambiguous_folder": folders.get("ambiguous") or None,
        "unmatched_folders": folders.get("unmatched", {}),
        "images_in_unmatched_folders": folders.get("images_unmatched", 0),
        "manifest": manifest.get("file"),
        "manifest_rows": manifest.get("rows"),
        "has_header": manifest.get("has_header"),
        "true_label_column": manifest.get("true_label_column"),
        "duplicate_rows": manifest.get("duplicate_rows"),
        "matched_rows": matched.get("matched_rows"),
        "images_matched": matched.get("images_matched"),
        "images_with_true_label": matched.get("images_with_true_label", labeled),
        "unmatched_names": matched.get("unmatched_names", []),
        "unknown_labels": matched.get("unknown_labels", {}),
        "images_with_unknown_label": matched.get("images_with_unknown_label", 0),
        "unused_tables": detail.get("unused_tables", {}),
    }
