"""Reads the results of version 0.1.0, which had other names for columns and values. Standard library only: the web
reads results too."""

from collections.abc import Collection, Mapping
from typing import Any

COLUMNS = {
    "label": "prediction",
    "truth": "true_label",
    "top_labels": "top_predictions",
    "normalisation": "normalization",  # codespell:ignore normalisation
    "seen": "model_input",
}
QUALITIES = {"several digits": "multiple_digits", "like no class": "out_of_distribution"}
ERROR_KINDS = {
    "no image": "unrecognized_format",
    "no file": "not_a_file",
    "no reader": "missing_package",
    "packing method": "unsupported_compression",
    "too large": "too_large",
    "unsafe name": "unsafe_name",
}
VALUES = {"quality": QUALITIES, "error_kind": ERROR_KINDS}


def renamed_columns(columns: Collection[str]) -> dict[str, str]:
    """The columns that have another name now; none where this version wrote them.

    A column of a manifest gives way: it is called `manifest_<name>`, as in new results.
    """
    if "top_predictions" in columns:
        return {}
    names = set(columns)
    return {name: f"manifest_{name}" for name in COLUMNS.values() if name in names} | {
        old: new for old, new in COLUMNS.items() if old in names
    }


def current_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of results under its present names."""
    names = renamed_columns(row)
    if not names:
        return row
    renamed = {names.get(name, name): value for name, value in row.items()}
    return renamed | {column: values.get(renamed[column], renamed[column]) for column, values in VALUES.items()}
