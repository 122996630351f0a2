"""Says in plain sentences what a classification skipped and assumed: the `notes` of its summary.

They are for people. The same facts are in the summary as figures, for programs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# What a person can do about files that were skipped, by their kind.
REMEDIES = {"archives": "Archives inside are not opened; submit each by itself."}

# Names and values in one sentence.
MAX_NAMED = 5


def notes_of(summary: Mapping[str, Any]) -> list[str]:
    """The sentences for a summary with `images`, `labelled`, `truth` (`about_truth`) and what was skipped."""
    return [
        *_truth(summary["truth"], summary["images"], summary["labelled"]),
        *_pages(summary["pages"]),
        *skipped_notes(summary["skipped_kinds"], summary["skipped_examples"]),
        *(f"{table} is not used: {why}" for table, why in summary["truth"]["unused_tables"].items()),
    ]


def skipped_notes(kinds: Mapping[str, int], examples: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each kind of skipped files.

    Args:
        kinds: files that were no images, counted by kind.
        examples: names of some of them, by kind.
    """
    return [_skipped(kind, count, examples.get(kind, ())) for kind, count in kinds.items()]


def _skipped(kind: str, count: int, examples: Sequence[str]) -> str:
    names = f" ({_listed(examples, count)})" if examples else ""
    return f"Skipped {kind}: {count:,}{names}. {REMEDIES.get(kind, '')}".rstrip()


def _truth(truth: Mapping[str, Any], images: int, labelled: int) -> Iterator[str]:
    if truth["manifest"]:
        yield from _manifest(truth, images)
    if truth["source"] == "manifest":
        yield (
            f"The true class is from column {truth['truth_column']!r} of {truth['manifest']}, for "
            f"{truth['images_with_truth']:,} of {images:,} images."
        )
    elif truth["source"] == "folders" and truth["folder_level"]:
        yield f"The true class is from the folders ({truth['folder_level']}), for {labelled:,} of {images:,} images."
        if truth["folder_doubtful"]:
            yield f"In {truth['folder_doubtful']!r} more than one folder names a class."
    if truth["images_unmatched"]:
        yield (
            f"{truth['images_unmatched']:,} images have a truth that is not a class of this model, and are left out of "
            f"the accuracy: {_counted(truth['unmatched'], truth['images_unmatched'])}."
        )
    if truth["unmatched_folders"] and truth["source"] != "manifest":
        counted = _counted(truth["unmatched_folders"], truth["images_in_unmatched_folders"])
        yield f"Folders that name no class of this model, whose images have no true class: {counted}."


def _pages(pages: Mapping[str, Any]) -> Iterator[str]:
    if pages.get("files"):
        yield (
            f"Files with several pages or frames: {pages['files']:,}. Each of their {pages['pages']:,} pages has a "
            "row, with its number after the name: scan.tif#2."
        )
    for name, count in pages.get("cut", {}).items():
        yield f"{name} has {count:,} pages or frames, of which only the first are read."


def _manifest(truth: Mapping[str, Any], images: int) -> Iterator[str]:
    file, rows, matched = truth["manifest"], truth["manifest_rows"], truth["matched"]
    missing = truth["unmatched_names"]
    if not matched:
        yield (
            f"0 of {rows:,} names in {file} match an image, so nothing of it is used. "
            f"It names {_listed(missing[:2], rows)}."
        )
        return
    distinct = rows - truth["duplicates"]
    names = f" Not found: {_listed(missing, distinct - matched)}." if missing else ""
    yield f"{matched:,} of {distinct:,} names in {file} match an image.{names}"
    if truth["images_matched"] < images:
        yield f"{images - truth['images_matched']:,} images have no row in {file}."
    if truth["duplicates"]:
        yield f"{truth['duplicates']:,} rows of {file} name an image that an earlier row names; the first counts."
    if not truth["has_header"]:
        column = truth["truth_column"]
        yield f"{file} has no header; its columns are told by what is in them" + (
            f": {column} is the truth." if column else "."
        )


def _counted(counts: Mapping[str, int], total: int) -> str:
    """`5b (12), 6c (3), … (15 in all)`, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_NAMED]
    named = ", ".join(f"{value[:60]} ({count:,})" for value, count in ordered)
    return named if sum(count for _, count in ordered) == total else f"{named}, … ({total:,} images)"


def _listed(examples: Iterable[str], total: int) -> str:
    named = list(examples)[:MAX_NAMED]
    return ", ".join(named) + (", …" if total > len(named) else "")
