"""Data sets."""

from typing import Any

from flask import url_for
from typing_extensions import TypedDict

from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.input_spec import InputRecord


class DatasetLinks(TypedDict):
    self: str
    preview: str | None


class DatasetItem(TypedDict):
    """A data set in a list. `builtin` ones come with Tenfold; `ready` ones are on the volume.

    `input` says how an image file becomes one of its images. It is null where an earlier version imported the data
    set: then it is measured at the first training. `content_sha256` is the same for the same images, labels, split,
    class names and preprocessing, whatever the name; null where an earlier version imported the data set, until a job
    reads it."""

    name: str
    title: str
    classes: list[str]
    train_images: int
    test_images: int
    input: InputRecord | None
    content_sha256: str | None
    warnings: list[str]
    builtin: bool
    ready: bool
    links: DatasetLinks


class DatasetDocument(DatasetItem):
    """A data set with the report of its import."""

    report: dict[str, Any] | None


class DatasetList(TypedDict):
    """All data sets, the built-in ones first; `next` is always null."""

    items: list[DatasetItem]
    next: None


def dataset_item(entry: DatasetEntry) -> DatasetItem:
    return {
        "name": entry.name,
        "title": entry.title,
        "classes": list(entry.class_names),
        "train_images": entry.train,
        "test_images": entry.test,
        "input": entry.input.as_dict() if entry.input else None,
        "content_sha256": entry.content_sha256,
        "warnings": list(entry.warnings),
        "builtin": entry.builtin,
        "ready": entry.ready,
        "links": {
            "self": url_for("api.datasets.get_dataset", name=entry.name),
            "preview": url_for("api.datasets.get_dataset_preview", name=entry.name) if entry.has_preview else None,
        },
    }


def dataset_document(entry: DatasetEntry) -> DatasetDocument:
    return {**dataset_item(entry), "report": entry.report or None}
