"""Reads Parquet files of images and labels: as stored by Hugging Face, or with a column for each pixel."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any

from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.archives import Archive, Member, slice_of
from tenfold.trainer.data.importing.arrays import to_part
from tenfold.trainer.data.importing.found import Check, Found, Skipped
from tenfold.trainer.data.importing.parts import put_together
from tenfold.trainer.data.importing.pictures import Labeled, read_labeled
from tenfold.trainer.data.importing.pixels import square_side
from tenfold.trainer.data.importing.preprocessing import Wanted
from tenfold.trainer.data.importing.refusals import refuse_damage
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files import splits

LABEL_COLUMNS = ("label", "labels", "class", "target", "y")
ROWS = 256

Parquet = tuple[str, splits.Part | None, Path]


def read_parquet(files: Sequence[Parquet], check: Check, wanted: Wanted) -> Found:
    """Read the data set in these files.

    Args:
        files: each one's name, the part that the name means, and its path.

    Raises:
        DatasetInvalid: a file is damaged, has too many rows, or no columns of images and labels.
    """
    import polars as pl

    columns = []
    for name, _, path in files:
        with _refuse_damage(name):
            schema = pl.read_parquet_schema(path)
            refusals.refuse_too_many(pl.scan_parquet(path).select(pl.len()).collect().item())
        columns.append(_columns(schema, name))
    if all(image is None for image, _ in columns):
        return put_together(
            [
                (name, part, _table(path, name, label, check))
                for (name, part, path), (_, label) in zip(files, columns, strict=True)
            ]
        )
    return _read_images(files, columns, check, wanted)


def _columns(schema: Any, what: str) -> tuple[str | None, str]:
    """The column of the images, None if there is one for each pixel; and that of the labels."""
    import polars as pl

    binary = [
        name
        for name, kind in schema.items()
        if kind == pl.Binary or (isinstance(kind, pl.Struct) and any(field.name == "bytes" for field in kind.fields))
    ]
    labels = [name for name in schema if name.lower() in LABEL_COLUMNS]
    if not labels and len(binary) == 1 and len(schema) == 2:
        labels = [name for name in schema if name not in binary]
    is_table = not binary and labels and square_side(len(schema) - 1)
    if len(labels) != 1 or not (is_table or len(binary) == 1):
        raise DatasetInvalid(
            f"{what} has the columns {', '.join(map(str, list(schema)[:20]))[:300]}; expected one of images, as files, "
            "and one of labels called `label`, or `label` and a column for each pixel."
        )
    return (None if is_table else binary[0]), labels[0]


def _table(path: Path, what: str, label: str, check: Check) -> Any:
    import polars as pl

    with _refuse_damage(what):
        frame = pl.scan_parquet(path)
        pixels = frame.select(pl.all().exclude(label))
        count, side = frame.select(pl.len()).collect().item(), len(pixels.collect_schema())
        refusals.refuse_too_large((count, side), count * side * 8, 4 * refusals.MAX_ARRAY_BYTES, what)
        values, labels = pixels.collect().to_numpy(), frame.select(label).collect()[label].to_numpy()
    return to_part(values, labels.astype("U") if labels.dtype == object else labels, names=(what, label), check=check)


def _read_images(
    files: Sequence[Parquet], columns: Sequence[tuple[str | None, str]], check: Check, wanted: Wanted
) -> Found:
    for_test = splits.part_for_test({part for _, part, _ in files})
    called: dict[splits.Part, list[str]] = {}
    members, labeled, notes = [], [], []
    skipped = Skipped()
    with TemporaryFile(dir=files[0][2].parent) as spool:
        for (name, part, path), (image, label) in zip(files, columns, strict=True):
            if image is None:
                raise DatasetInvalid(f"{name} has no column of images, but the other files do. Import them separately.")
            if part is not None:
                called.setdefault(part, []).append(name)
            names = _class_names(path, label)
            if names:
                notes.append(f"The class names of {name} are from its metadata.")
            for row, (data, value) in enumerate(_rows(path, name, image, label, check)):
                member = f"{name}/{row}"
                if data is None or value is None:
                    skipped.add("rows without an image or a label", member)
                    continue
                members.append(Member(member, len(data), (spool.tell(), len(data))))
                spool.write(data)
                if spool.tell() > refusals.MAX_UNPACKED_BYTES:
                    raise DatasetInvalid(
                        f"{name} contains more than {refusals.MAX_UNPACKED_BYTES // 2**20:,} MiB of images."
                    )
                text = names[value] if isinstance(value, int) and 0 <= value < len(names) else str(value)
                labeled.append(Labeled(PurePosixPath(member), text, for_test is not None and part is for_test))
        archive = Archive("Parquet file", members, lambda handle: slice_of(spool, *handle), skipped)
        found = read_labeled(archive, labeled, check, wanted)
    notes = [splits.tell_split(called), *notes, *found.notes, *skipped.sentences(of_images=False)]
    return replace(found, notes=notes, skipped=skipped.counts)


def _rows(path: Path, what: str, image: str, label: str, check: Check) -> Iterator[tuple[bytes | None, Any]]:
    import polars as pl

    frame = pl.scan_parquet(path)
    for start in range(0, refusals.MAX_IMAGES, ROWS):
        check()
        with _refuse_damage(what):
            rows = frame.select(pl.col(image), pl.col(label)).slice(start, ROWS).collect()
        if not len(rows):
            return
        for data, value in rows.iter_rows():
            yield (data.get("bytes") if isinstance(data, dict) else data), value


def _class_names(path: Path, label: str) -> Sequence[str]:
    """The class names in the metadata that Hugging Face's `datasets` writes; empty without it."""
    import polars as pl

    try:
        about = json.loads(pl.read_parquet_metadata(path)["huggingface"])
        names = about["info"]["features"][label]["names"]
    except Exception:  # the metadata is optional
        return ()
    return [str(name) for name in names] if isinstance(names, list) else ()


@contextmanager
def _refuse_damage(what: str) -> Iterator[None]:
    import polars as pl

    with refuse_damage(what):
        try:
            yield
        except pl.exceptions.PanicException as error:  # not a subclass of `Exception`
            raise DatasetInvalid(f"{what} is damaged and can't be read. Create it again, and upload that.") from error


def copied(file: IO[bytes], target: IO[bytes], check: Check) -> None:
    """Copy a file of an archive to disk, as the libraries for Parquet and HDF5 need.

    Raises:
        DatasetInvalid: it is too large.
    """
    while piece := file.read(2**20):
        check()
        target.write(piece)
        if target.tell() > refusals.MAX_UNPACKED_BYTES:
            raise DatasetInvalid(f"A file is larger than {refusals.MAX_UNPACKED_BYTES // 2**20:,} MiB when unpacked.")
    target.flush()
