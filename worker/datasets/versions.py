"""Makes a new version of a data set with corrected labels; the data set itself stays as it is. Uses no NumPy."""

import shutil
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.data.content import content_sha256, files_sha256
from tenfold.trainer.data.files import ABOUT, SHORT, UNSIGNED_BYTE, written_about
from tenfold.trainer.data.stored import PARTS, Part, StoredPart, image_file, label_file
from tenfold.worker.datasets.datasets import get_dataset, list_datasets, why_name_is_taken
from tenfold.worker.datasets.differences import check_size, open_images
from tenfold.worker.datasets.parameters import DatasetName
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.services import Services

# What fits into the body of a call (`web/core/body_limits.py`).
MAX_CORRECTIONS = 1000


class Correction(BaseModel):
    """What becomes of an image: another label, or null to leave the image out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: Part = Field(description="`train` or `test`.")
    index: int = Field(ge=0, description="Number of the image in its part, from 0.")
    label: str | None = Field(max_length=255, description="Name of the right class; null leaves the image out.")


class VersionParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DatasetName = Field(description="Name of the new data set.")
    corrections: Annotated[tuple[Correction, ...], Field(min_length=1, max_length=MAX_CORRECTIONS)] = Field(
        description="Images to relabel or to leave out."
    )
    content_sha256: str | None = Field(
        None,
        max_length=64,
        description="Refuse the corrections if the data set's content hash is another one: another data set came under "
        "this name since.",
    )


def make_version(services: Services, name: str, parameters: VersionParameters) -> DatasetEntry:
    """Copy the data set to the new name, with these corrections.

    Raises:
        UnknownDataset: there is no data set of this name.
        WrongState: it is not on the volume or damaged, or has another content.
        InvalidSubmission: a correction is invalid or changes nothing, or the new name is taken.
    """
    base = get_dataset(services.volume, name)
    parts = {part: open_images(services.volume, name, part) for part in PARTS}
    check_size(parts["train"].directory)
    if parameters.content_sha256 not in (None, base.content_sha256):
        raise WrongState(
            f"The data set {name} has changed since: another one came under its name. Check it again, and correct that."
        )
    if taken := why_name_is_taken(services, parameters.name):
        raise InvalidSubmission("name", taken)
    labels, removed = _corrected(base, parts, parameters.corrections)
    place = services.volume.dataset(parameters.name)
    try:
        with services.volume.storage.write_directory(place, replace=False) as directory:
            counts = {part: _write_part(directory, parts[part], labels[part], removed[part]) for part in PARTS}
            about = _about(base, counts, parameters, directory)
            (directory / ABOUT).write_bytes(written_about(about))
    except FileExistsError as error:
        raise InvalidSubmission("name", f"The name {parameters.name} is already in use. Choose another one.") from error
    return get_dataset(services.volume, parameters.name)


def versions_of(services: Services, name: str) -> list[DatasetEntry]:
    """The data sets that were made from this one with corrected labels."""
    made = list_datasets(services.volume)
    return [entry for entry in made if (entry.report.get("made_from") or {}).get("name") == name]


def _corrected(
    base: DatasetEntry, parts: Mapping[Part, StoredPart], corrections: Sequence[Correction]
) -> tuple[dict[Part, list[int]], dict[Part, set[int]]]:
    """The labels of each part, and the images to leave out."""
    numbers = {class_name: number for number, class_name in enumerate(base.class_names)}
    labels = {part: list(stored.labels) for part, stored in parts.items()}
    removed: dict[Part, set[int]] = {part: set() for part in PARTS}
    seen = set()
    for at, each in enumerate(corrections):
        field, image = f"corrections.{at}", f"{each.part} image {each.index}"
        if each.index >= len(labels[each.part]):
            raise InvalidSubmission(
                field, f"There is no {image}: {base.name} has {len(labels[each.part]):,}, and numbers start at 0."
            )
        if (each.part, each.index) in seen:
            raise InvalidSubmission(field, f"The {image} is corrected twice.")
        seen.add((each.part, each.index))
        if each.label is None:
            removed[each.part].add(each.index)
        elif each.label not in numbers:
            known = ", ".join(base.class_names[:20]) + (" …" if len(base.class_names) > 20 else "")
            raise InvalidSubmission(field, f"{base.name} has no class {each.label[:64]!r}; it has: {known}.")
        elif labels[each.part][each.index] == numbers[each.label]:
            raise InvalidSubmission(field, f"The {image} has the label {each.label[:64]!r} already.")
        else:
            labels[each.part][each.index] = numbers[each.label]
    for part in PARTS:
        if removed[part] and len(removed[part]) == len(labels[part]):
            raise InvalidSubmission("corrections", f"That leaves no {part} images.")
    return labels, removed


def _write_part(directory: Path, stored: StoredPart, labels: Sequence[int], removed: set[int]) -> Counter[int]:
    """Write the images and labels that are kept; the number of each label."""
    kept = [label for index, label in enumerate(labels) if index not in removed]
    target = directory / image_file(stored.part)
    if not removed:
        shutil.copyfile(stored.directory / image_file(stored.part), target)
    else:
        with target.open("wb") as file:
            file.write(_header(UNSIGNED_BYTE, len(kept), *stored.shape))
            for index, pixels in enumerate(stored.images()):
                if index not in removed:
                    file.write(pixels)
    kind = (stored.directory / label_file(stored.part)).read_bytes()[2]
    values = array("h" if kind == SHORT else "B", kept)
    if kind == SHORT and sys.byteorder == "little":
        values.byteswap()
    (directory / label_file(stored.part)).write_bytes(_header(kind, len(kept)) + values.tobytes())
    if (directory / image_file(stored.part)).stat().st_size != len(_header(0, 0, *stored.shape)) + len(kept) * prod(
        stored.shape
    ):
        raise WrongState(f"{stored.directory.name} changed while it was copied. Try again.")
    return Counter(kept)


def _header(kind: int, *shape: int) -> bytes:
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def _about(
    base: DatasetEntry, counts: Mapping[Part, Counter[int]], parameters: VersionParameters, directory: Path
) -> dict[str, Any]:
    left_out = sum(each.label is None for each in parameters.corrections)
    relabeled = len(parameters.corrections) - left_out
    of = f" (content {base.content_sha256})" if base.content_sha256 else ""
    note = (
        f"Made from {base.name}{of}: {relabeled:,} label{'s' if relabeled != 1 else ''} corrected, {left_out:,} "
        f"image{'s' if left_out != 1 else ''} left out."
    )
    per_class = {
        class_name: {part: counts[part][number] for part in PARTS} for number, class_name in enumerate(base.class_names)
    }
    empty = [class_name for class_name, each in per_class.items() if not each["train"]]
    warnings = [f"Of {base.name}: {warning}" for warning in base.warnings]
    if empty:
        warnings.append(f"No training images of {', '.join(empty[:10])}{' …' if empty[10:] else ''}.")
    about: dict[str, Any] = {
        "name": parameters.name,
        "class_names": list(base.class_names),
        "report": {
            "made_from": {"name": base.name, "content_sha256": base.content_sha256},
            "images": sum(each.total() for each in counts.values()),
            **{part: counts[part].total() for part in PARTS},
            "per_class": per_class,
            "unreadable": [],
            "unreadable_count": 0,
            "skipped": {},
            "notes": [note],
            "warnings": warnings,
        },
    }
    if base.input is not None:
        about["input"] = base.input.as_dict()
        about["content_sha256"] = content_sha256(files_sha256(directory), base.class_names, base.input)
    return about
