"""Finds the images that the rows of a manifest name, and puts its columns beside their answers.

People write names in another case, with other folders before them, without a suffix, or with Unicode letters in
another form. A name counts for an image that is called otherwise only where just one image and one row can be meant.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from trainer.naming.class_names import ClassNames
from worker.manifest import TRUTH

# Of a path, as many of its last parts are compared.
MAX_PARTS = 8

# A page of a file with several is called `scan.tif#2`; a row for `scan.tif` is about all of them.
PAGE_NUMBER = r"#[0-9]+$"

# Names, and truths that are no class, that are told to a person.
MAX_TOLD = 20

WRITTEN = "truth as it was written"


@dataclass(frozen=True)
class Matched:
    """The rows with the manifest's columns beside them, and how much of the manifest was of use.

    Args:
        rows: those of `results.ROWS` and the manifest's columns. `truth` is a class of the model, or null.
        about: figures for the summary: `manifest_rows_matched`, `images_matched`, `images_with_truth`, `unmatched` (the
            most frequent truths that are no class, with their images), `images_unmatched` (how many images have one),
            and `unmatched_names`, some names that no image has.
    """

    rows: pl.LazyFrame
    about: dict[str, Any]


def match_manifest(
    rows: pl.LazyFrame, manifest: pl.DataFrame, classes: ClassNames, truth_column: str | None
) -> Matched:
    """Join the rows of a manifest (`Manifest.rows`) to those of the images that they name.

    Its truth replaces the folder's. An image whose truth is no class of the model has none, so that it counts neither
    as right nor as wrong; but where no truth of the manifest is a class, its truth is not used and the folder's stays.

    Args:
        truth_column: what the manifest calls its truth. Where what is written differs from the class it is kept as a
            column `manifest_<that>`.
    """
    names = rows.select(pl.col("name").unique(maintain_order=True)).collect()["name"]
    found = find_images(names, manifest["name"])
    used = manifest.with_row_index("manifest row").join(found, on="manifest row").drop("manifest row", "name")
    used = used.rename({"image": "name"}).unique("name", keep="first", maintain_order=True)
    used, is_truth = _with_classes(used, classes, truth_column)
    joined = rows.join(used.lazy(), on="name", how="left", maintain_order="left")
    missing = manifest.with_row_index("manifest row").join(found, on="manifest row", how="anti")
    about = _count(joined, used["name"]) | {
        "manifest_rows_matched": found["manifest row"].n_unique(),
        "unmatched_names": missing["name"].head(MAX_TOLD).to_list(),
    }
    given = pl.col(WRITTEN).is_not_null()
    truth = pl.when(given).then(TRUTH).otherwise("truth") if is_truth else pl.col("truth")
    return Matched(joined.with_columns(truth=truth).drop(TRUTH, WRITTEN), about)


def find_images(names: pl.Series, wanted: pl.Series) -> pl.DataFrame:
    """Which images the names of a manifest mean.

    Args:
        names: of all images, each once.
        wanted: names in the manifest.

    Returns:
        `manifest row`, a place in `wanted`, and `image`, a name of `names`: of a row for a file with several pages one
        for each page.
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
        # All files, so that no name counts for one of several that it may mean.
        keyed = images.select(pl.col("file").unique(maintain_order=True)).with_columns(key=key("file"))
        alone = keyed.filter(pl.col("key").is_unique()).join(files, on="file", how="semi")
        meant = rest.with_columns(key=key("key")).filter(pl.col("key").is_unique())
        pairs = meant.join(alone, on="key").select("manifest row", "file")
        found = pl.concat([found, pairs.join(images, on="file").select("manifest row", "image")])
        rest, files = (frame.join(pairs, on=on, how="anti") for frame, on in ((rest, "manifest row"), (files, "file")))
    return found.sort("manifest row", maintain_order=True)


def _keys() -> Iterator[Callable[[str], pl.Expr]]:
    """Ever looser forms of a name, as expressions of a column: what is alike in one of them may be the same image."""
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


def _with_classes(manifest: pl.DataFrame, classes: ClassNames, truth_column: str | None) -> tuple[pl.DataFrame, bool]:
    """The manifest with `TRUTH` as a class of the model and `WRITTEN`, and whether any of its truths is one."""
    written = manifest[TRUTH].drop_nulls().unique().to_list()
    meant = {value: classes.of_cell(value) for value in written}
    new = manifest.with_columns(
        pl.col(TRUTH).alias(WRITTEN), pl.col(TRUTH).replace_strict(meant, default=None, return_dtype=pl.String)
    )
    if truth_column and any(value != label for value, label in meant.items()):
        new = new.with_columns(pl.col(WRITTEN).alias(f"manifest_{truth_column}"))
    return new, any(meant.values())


def _count(joined: pl.LazyFrame, matched: pl.Series) -> dict[str, Any]:
    beside = joined.filter(pl.col("name").is_in(matched.implode()))
    unmatched = beside.filter(pl.col(WRITTEN).is_not_null() & pl.col(TRUTH).is_null())
    totals, values = pl.collect_all(
        [
            beside.select(images_matched=pl.len(), images_with_truth=pl.col(TRUTH).count()),
            unmatched.group_by(WRITTEN).len().sort(["len", WRITTEN], descending=[True, False]),
        ],
        engine="streaming",
    )
    return totals.to_dicts()[0] | {
        "unmatched": dict(values.head(MAX_TOLD).iter_rows()),
        "images_unmatched": values["len"].sum(),
    }
