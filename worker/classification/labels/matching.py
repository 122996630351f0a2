"""Finds the images named by a manifest, and adds its columns to their rows.

Names may differ in case, leading folders, suffix or Unicode form. An inexact match is used only if it is unique: one
image and one row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from tenfold.trainer.files.class_names import ClassNames
from tenfold.worker.classification.labels.manifest import TRUTH

# Compared parts of a path, from its end.
MAX_PARTS = 8

# A page of a file with several is called `scan.tif#2`; a row for `scan.tif` is about all of them.
PAGE_NUMBER = r"#[0-9]+$"

# Names, and labels that are not a class, in the summary.
MAX_NAMED = 20

WRITTEN = "truth as it was written"


@dataclass(frozen=True)
class Matched:
    """The rows with the manifest's columns, and how much of the manifest matched.

    Args:
        rows: those of `results.ROWS` and the manifest's columns. `true_label` is a class of the model, or null.
        about: figures for the summary: `matched_rows`, `images_matched`, `images_with_true_label`, `unknown_labels`
            (the most frequent labels that are no class, with their images), `images_with_unknown_label` (how many
            images have one), and `unmatched_names`, some names that no image has.
    """

    rows: pl.LazyFrame
    about: dict[str, Any]


def match_manifest(
    rows: pl.LazyFrame, manifest: pl.DataFrame, classes: ClassNames, true_label_column: str | None
) -> Matched:
    """Join the rows of a manifest (`Manifest.rows`) to those of the images that they name.

    Its true labels replace those of folders. A label that is not a class of the model counts as missing; if none is a
    class, the labels of folders are used.

    Args:
        true_label_column: the manifest's name for it. Where a label as written differs from the class, it is kept in a
            column `manifest_<that name>`.
    """
    names = rows.select(pl.col("name").unique(maintain_order=True)).collect()["name"]
    found = find_images(names, manifest["name"])
    used = manifest.with_row_index("manifest row").join(found, on="manifest row").drop("manifest row", "name")
    used = used.rename({"image": "name"}).unique("name", keep="first", maintain_order=True)
    used, is_truth = _with_classes(used, classes, true_label_column)
    joined = rows.join(used.lazy(), on="name", how="left", maintain_order="left")
    missing = manifest.with_row_index("manifest row").join(found, on="manifest row", how="anti")
    about = _count(joined, used["name"]) | {
        "matched_rows": found["manifest row"].n_unique(),
        "unmatched_names": missing["name"].head(MAX_NAMED).to_list(),
    }
    given = pl.col(WRITTEN).is_not_null()
    true_label = pl.when(given).then(TRUTH).otherwise("true_label") if is_truth else pl.col("true_label")
    return Matched(joined.with_columns(true_label=true_label).drop(TRUTH, WRITTEN), about)


def find_images(names: pl.Series, wanted: pl.Series) -> pl.DataFrame:
    """Match the names of a manifest to images.

    Args:
        names: of all images, unique.
        wanted: names in the manifest.

    Returns:
        `manifest row`, an index into `wanted`, and `image`, one of `names`; for a multi-page file one for each page.
    """
    images = pl.DataFrame({"image": names, "file": names.str.replace(PAGE_NUMBER, "")})
    rest = pl.DataFrame({"key": wanted}).with_row_index("manifest row")
    found = rest.join(images, left_on="key", right_on="image", how="inner", coalesce=False).select(
        "manifest row", "image"
    )
    files = images.join(found, on="image", how="anti").select("file").unique(maintain_order=True)
    rest = rest.join(found, on="manifest row", how="anti")
    for key in _keys():
        if rest.is_empty():
            break
        # All files, so that an ambiguous name matches none.
        keyed = images.select(pl.col("file").unique(maintain_order=True)).with_columns(key=key("file"))
        alone = keyed.filter(pl.col("key").is_unique()).join(files, on="file", how="semi")
        meant = rest.with_columns(key=key("key")).filter(pl.col("key").is_unique())
        pairs = meant.join(alone, on="key").select("manifest row", "file")
        found = pl.concat([found, pairs.join(images, on="file").select("manifest row", "image")])
        rest, files = (frame.join(pairs, on=on, how="anti") for frame, on in ((rest, "manifest row"), (files, "file")))
    return found.sort("manifest row", maintain_order=True)


def _keys() -> Iterator[Callable[[str], pl.Expr]]:
    """Less and less strict forms of a name, as expressions of a column."""
    yield _path
    yield lambda column: _path(column).str.to_lowercase()
    for without_suffix in (False, True):
        for parts in range(MAX_PARTS, 0, -1):
            yield partial(_last_parts, parts=parts, without_suffix=without_suffix)


def _path(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("\\", "/", literal=True).str.strip_prefix("./").str.normalize("NFC")


def _last_parts(column: str, *, parts: int, without_suffix: bool) -> pl.Expr:
    path = _path(column).str.to_lowercase()
    if without_suffix:
        path = path.str.replace(r"\.[^./]*$", "")
    return path.str.split("/").list.tail(parts).list.join("/")


def _with_classes(
    manifest: pl.DataFrame, classes: ClassNames, true_label_column: str | None
) -> tuple[pl.DataFrame, bool]:
    """The manifest with `TRUTH` as a class of the model and `WRITTEN`, and whether any label is a class."""
    written = manifest[TRUTH].drop_nulls().unique().to_list()
    meant = {value: classes.of_cell(value) for value in written}
    new = manifest.with_columns(
        pl.col(TRUTH).alias(WRITTEN), pl.col(TRUTH).replace_strict(meant, default=None, return_dtype=pl.String)
    )
    if true_label_column and any(value != label for value, label in meant.items()):
        new = new.with_columns(pl.col(WRITTEN).alias(f"manifest_{true_label_column}"))
    return new, any(meant.values())


def _count(joined: pl.LazyFrame, matched: pl.Series) -> dict[str, Any]:
    beside = joined.filter(pl.col("name").is_in(matched.implode()))
    unmatched = beside.filter(pl.col(WRITTEN).is_not_null() & pl.col(TRUTH).is_null())
    totals, values = pl.collect_all(
        [
            beside.select(images_matched=pl.len(), images_with_true_label=pl.col(TRUTH).count()),
            unmatched.group_by(WRITTEN).len().sort(["len", WRITTEN], descending=[True, False]),
        ],
        engine="streaming",
    )
    return totals.to_dicts()[0] | {
        "unknown_labels": dict(values.head(MAX_NAMED).iter_rows()),
        "images_with_unknown_label": values["len"].sum(),
    }
