"""Reads Parquet files of images and labels: as Hugging Face stores them, or with a column for each pixel."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any

from trainer.errors import DatasetInvalid
from trainer.importing import limits
from trainer.importing.archives import Archive, Member, slice_of
from trainer.importing.arrays import to_part
from trainer.importing.found import Check, Found
from trainer.importing.parts import put_together
from trainer.importing.pictures import Labeled, read_labeled
from trainer.importing.pixels import square_side
from trainer.importing.preprocessing import Wanted
from trainer.importing.refusals import refuse_damage
from trainer.importing.skipped import Skipped
from trainer.naming import splits

LABEL_COLUMNS = ("label", "labels", "class", "target", "y")
ROWS = 256

Parquet = tuple[str, splits.Part | None, Path]


def read_parquet(files: Sequence[Parquet], check: Check, preprocessing: Wanted) -> Found:
    """The data set in these files.

    Args:
        files: what each is called, which part the name means, and where it lies.

    Raises:
        DatasetInvalid: a file is damaged, has too many rows, or its columns are no images with labels.
    """
    import polars as pl

    columns = []
    for name, _, path in files:
        with _refuse_damage(name):
            schema = pl.read_parquet_schema(path)
            limits.refuse_too_many(pl.scan_parquet(path).select(pl.len()).collect().item())
        columns.append(_columns(schema, name))
    if all(image is None for image, _ in columns):
        return put_together(
            [
                (name, part, _table(path, name, label, check))
                for (name, part, path), (_, label) in zip(files, columns, strict=True)
            ]
        )
    return _read_images(files, columns, check, preprocessing)


def _columns(schema: Any, what: str) -> tuple[str | None, str]:
    """The column of the images, None where there is one for each pixel; and that of the labels."""
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
        limits.refuse_too_large((count, side), count * side * 8, 4 * limits.MAX_ARRAY_BYTES, what)
        values, labels = pixels.collect().to_numpy(), frame.select(label).collect()[label].to_numpy()
    return to_part(values, labels.astype("U") if labels.dtype == object else labels, names=(what, label), check=check)


def _read_images(
    files: Sequence[Parquet], columns: Sequence[tuple[str | None, str]], check: Check, preprocessing: Wanted
) -> Found:
    for_test = splits.part_for_test({part for _, part, _ in files})
    called: dict[splits.Part, list[str]] = {}
    members, labeled, told = [], [], []
    skipped = Skipped()
    with TemporaryFile(dir=files[0][2].parent) as spool:
        for (name, part, path), (image, label) in zip(files, columns, strict=True):
            if image is None:
                raise DatasetInvalid(f"{name} has no column of images, but the other files do. Import them apart.")
            if part is not None:
                called.setdefault(part, []).append(name)
            names = _class_names(path, label)
            if names:
                told.append(f"The classes of {name} are called as its own description says.")
            for row, (data, value) in enumerate(_rows(path, name, image, label, check)):
                member = f"{name}/{row}"
                if data is None or value is None:
                    skipped.add("rows without an image or a label", member)
                    continue
                members.append(Member(member, len(data), (spool.tell(), len(data))))
                spool.write(data)
                if spool.tell() > limits.MAX_UNPACKED_BYTES:
                    raise DatasetInvalid(
                        f"{name} holds more than {limits.MAX_UNPACKED_BYTES // 2**20:,} MiB of images."
                    )
                text = names[value] if isinstance(value, int) and 0 <= value < len(names) else str(value)
                labeled.append(Labeled(PurePosixPath(member), text, for_test is not None and part is for_test))
        archive = Archive("Parquet file", members, lambda handle: slice_of(spool, *handle), skipped)
        found = read_labeled(archive, labeled, check, preprocessing)
    told = [splits.tell_split(called), *told, *found.told, *skipped.sentences(of_images=False)]
    return replace(found, told=told, skipped=skipped.counts)


def _rows(path: Path, what: str, image: str, label: str, check: Check) -> Iterator[tuple[bytes | None, Any]]:
    import polars as pl

    frame = pl.scan_parquet(path)
    for start in range(0, limits.MAX_IMAGES, ROWS):
        check()
        with _refuse_damage(what):
            rows = frame.select(pl.col(image), pl.col(label)).slice(start, ROWS).collect()
        if not len(rows):
            return
        for data, value in rows.iter_rows():
            yield (data.get("bytes") if isinstance(data, dict) else data), value


def _class_names(path: Path, label: str) -> Sequence[str]:
    """What Hugging Face's `datasets` writes down of the classes, in the file's own metadata; empty without."""
    import polars as pl

    try:
        about = json.loads(pl.read_parquet_metadata(path)["huggingface"])
        names = about["info"]["features"][label]["names"]
    except Exception:  # it is there or it isn't
        return ()
    return [str(name) for name in names] if isinstance(names, list) else ()


@contextmanager
def _refuse_damage(what: str) -> Iterator[None]:
    import polars as pl

    with refuse_damage(what):
        try:
            yield
        except pl.exceptions.PanicException as error:  # no `Exception`
            raise DatasetInvalid(f"{what} is damaged and cannot be read. Make it again, and upload that.") from error


def copied(file: IO[bytes], target: IO[bytes], check: Check) -> None:
    """Copy a file of an archive to one on disk, which Parquet's and HDF5's libraries need.

    Raises:
        DatasetInvalid: it is too large.
    """
    while piece := file.read(2**20):
        check()
        target.write(piece)
        if target.tell() > limits.MAX_UNPACKED_BYTES:
            raise DatasetInvalid(f"A file takes more than {limits.MAX_UNPACKED_BYTES // 2**20:,} MiB when unpacked.")
    target.flush()
