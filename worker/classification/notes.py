"""The `notes` of a summary: sentences for people on what a classification skipped and assumed.

The summary has the same facts as figures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# What to do about skipped files, by kind.
REMEDIES = {"archives": "Nested archives are not opened; submit each separately."}

# Names or values in one sentence.
MAX_NAMED = 5


def notes_of(summary: Mapping[str, Any]) -> list[str]:
    """The notes of a summary that has `images`, `labeled`, `true_labels`, `pages` and what was skipped."""
    return [
        *_truth(summary["true_labels"], summary["images"], summary["labeled"]),
        *_pages(summary["pages"]),
        *skipped_notes(summary["skipped_kinds"], summary["skipped_examples"]),
        *(f"{table} is not used: {why}" for table, why in summary["true_labels"]["unused_tables"].items()),
    ]


def skipped_notes(kinds: Mapping[str, int], examples: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each kind of skipped files.

    Args:
        kinds: number of skipped files, by kind.
        examples: some of their names, by kind.
    """
    return [_skipped(kind, count, examples.get(kind, ())) for kind, count in kinds.items()]


def _skipped(kind: str, count: int, examples: Sequence[str]) -> str:
    names = f" ({_listed(examples, count)})" if examples else ""
    return f"Skipped {kind.replace('_', ' ')}: {count:,}{names}. {REMEDIES.get(kind, '')}".rstrip()


def _truth(truth: Mapping[str, Any], images: int, labeled: int) -> Iterator[str]:
    if truth["manifest"]:
        yield from _manifest(truth, images)
    if truth["source"] == "manifest":
        yield (
            f"True labels come from column {truth['true_label_column']!r} of {truth['manifest']}, for "
            f"{truth['images_with_true_label']:,} of {images:,} images."
        )
    elif truth["source"] == "folders" and truth["folder_level"]:
        yield (
            f"True labels come from the folders (for example {truth['folder_level']}), for {labeled:,} of {images:,} "
            "images."
        )
        if truth["ambiguous_folder"]:
            yield f"In {truth['ambiguous_folder']!r} more than one folder is named after a class."
    if truth["images_with_unknown_label"]:
        yield (
            f"{truth['images_with_unknown_label']:,} images have a true label that is not a class of this model; they "
            f"do not count in the accuracy: {_counted(truth['unknown_labels'], truth['images_with_unknown_label'])}."
        )
    if truth["unmatched_folders"] and truth["source"] != "manifest":
        counted = _counted(truth["unmatched_folders"], truth["images_in_unmatched_folders"])
        yield f"Folders not named after a class of this model; their images have no true label: {counted}."


def _pages(pages: Mapping[str, Any]) -> Iterator[str]:
    if pages.get("files"):
        yield (
            f"Files with several pages or frames: {pages['files']:,}. Each of their {pages['pages']:,} pages has a "
            "row, with its number after the name: scan.tif#2."
        )
    for name, count in pages.get("truncated", {}).items():
        yield f"{name} has {count:,} pages or frames; only the first ones were read."


def _manifest(truth: Mapping[str, Any], images: int) -> Iterator[str]:
    file, rows, matched = truth["manifest"], truth["manifest_rows"], truth["matched_rows"]
    missing = truth["unmatched_names"]
    if not matched:
        yield (
            f"0 of {rows:,} names in {file} match an image, so the file is not used. "
            f"It names {_listed(missing[:2], rows)}."
        )
        return
    distinct = rows - truth["duplicate_rows"]
    names = f" Not found: {_listed(missing, distinct - matched)}." if missing else ""
    yield f"{matched:,} of {distinct:,} names in {file} match an image.{names}"
    if truth["images_matched"] < images:
        yield f"{images - truth['images_matched']:,} images have no row in {file}."
    if truth["duplicate_rows"]:
        yield f"{truth['duplicate_rows']:,} rows of {file} name an image again; the first row is used."
    if not truth["has_header"]:
        column = truth["true_label_column"]
        yield f"{file} has no header; its columns were detected by their content" + (
            f": {column} has the true labels." if column else "."
        )


def _counted(counts: Mapping[str, int], total: int) -> str:
    """`5b (12), 6c (3), … (15 images)`, most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_NAMED]
    named = ", ".join(f"{value[:60]} ({count:,})" for value, count in ordered)
    return named if sum(count for _, count in ordered) == total else f"{named}, … ({total:,} images)"


def _listed(examples: Iterable[str], total: int) -> str:
    named = list(examples)[:MAX_NAMED]
    return ", ".join(named) + (", …" if total > len(named) else "")
