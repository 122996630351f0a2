"""What differs between two data sets."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from typing_extensions import TypedDict

from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.data.differences import Place
from tenfold.trainer.data.stored import Part
from tenfold.trainer.input_spec import DIGIT
from tenfold.worker.datasets.differences import Compared

# Of each list, in an answer.
MAX_LISTED = 500


class DatasetImageLinks(TypedDict):
    picture: str


class DatasetImage(TypedDict):
    """An image of a data set: `index` counts from 0 in its part, `train` or `test`."""

    part: Part
    index: int
    label: str
    links: DatasetImageLinks


class CountedImages(TypedDict):
    """The first 500 images, and how many there are."""

    count: int
    items: list[DatasetImage]


class ChangedImage(TypedDict):
    """An image in both data sets."""

    a: DatasetImage
    b: DatasetImage


class CountedChanges(TypedDict):
    """The first 500 images, and how many there are."""

    count: int
    items: list[ChangedImage]


class ComparedDataset(TypedDict):
    name: str
    content_sha256: str | None
    train_images: int
    test_images: int


class DatasetDifferences(TypedDict):
    """What became of data set `a` in `b`. An image is the same if all pixels are: `same` counts those in both.

    `relabeled` have another label in `b`, `moved` another part; an image can be in both lists. `preprocessing_differs`
    says that images are prepared differently for models of the two."""

    a: ComparedDataset
    b: ComparedDataset
    identical: bool
    preprocessing_differs: bool
    classes_added: list[str]
    classes_removed: list[str]
    same: int
    added: CountedImages
    removed: CountedImages
    relabeled: CountedChanges
    moved: CountedChanges
    summary: str


def dataset_differences(compared: Compared) -> DatasetDifferences:
    a, b, found = compared.a, compared.b, compared.differences
    preprocessing_differs = a.input is not None and b.input is not None and a.input != b.input
    document: dict[str, Any] = {
        "a": _compared(a),
        "b": _compared(b),
        "preprocessing_differs": preprocessing_differs,
        "classes_added": [name for name in b.class_names if name not in a.class_names],
        "classes_removed": [name for name in a.class_names if name not in b.class_names],
        "same": found.same,
        "added": _images(b.name, found.added),
        "removed": _images(a.name, found.removed),
        "relabeled": _changed(a.name, b.name, found.relabeled),
        "moved": _changed(a.name, b.name, found.moved),
    }
    summary = _summary(document, _sizes(a, b))
    return {**document, "identical": not summary, "summary": summary or _same(a, b)}  # type: ignore[typeddict-item]


def dataset_image(name: str, place: Place) -> DatasetImage:
    picture = url_for("api.dataset_images.get_dataset_image", name=name, part=place.part, index=place.number)
    return {"part": place.part, "index": place.number, "label": place.label, "links": {"picture": picture}}


def _compared(entry: DatasetEntry) -> ComparedDataset:
    return {
        "name": entry.name,
        "content_sha256": entry.content_sha256,
        "train_images": entry.train,
        "test_images": entry.test,
    }


def _images(name: str, places: Sequence[Place]) -> CountedImages:
    return {"count": len(places), "items": [dataset_image(name, place) for place in places[:MAX_LISTED]]}


def _changed(a: str, b: str, pairs: Sequence[tuple[Place, Place]]) -> CountedChanges:
    items: list[ChangedImage] = [
        {"a": dataset_image(a, before), "b": dataset_image(b, after)} for before, after in pairs[:MAX_LISTED]
    ]
    return {"count": len(pairs), "items": items}


def _sizes(a: DatasetEntry, b: DatasetEntry) -> str:
    """That no image can be the same, if they have other sizes or colors."""
    of_a, of_b = a.input or DIGIT, b.input or DIGIT
    if of_a.shape == of_b.shape:
        return ""
    return f" {a.name} has {of_a.size} images, {b.name} {of_b.size}, so none can be the same."


def _summary(document: dict[str, Any], sizes: str) -> str:
    """The differences in a sentence, and what their `sizes` say; empty if there are none."""
    kinds = {"added": "added", "removed": "removed", "relabeled": "with another label", "moved": "in the other part"}
    counts = [(document[name]["count"], words) for name, words in kinds.items()]
    found = [f"{count:,} image{'s' if count > 1 else ''} {words}" for count, words in counts if count]
    for name in ("added", "removed"):
        if classes := document[f"classes_{name}"]:
            found.append(f"{len(classes)} class{'es' if len(classes) > 1 else ''} {name}")
    if document["preprocessing_differs"]:
        found.append("another preprocessing")
    if not found:
        return ""
    a, b = document["a"]["name"], document["b"]["name"]
    return f"{b} against {a}: {', '.join(found)}; {document['same']:,} images in both.{sizes}"


def _same(a: DatasetEntry, b: DatasetEntry) -> str:
    if a.class_names != b.class_names:
        return f"{b.name} has the same images and labels as {a.name}; only the order of the classes differs."
    if None in (a.content_sha256, b.content_sha256) or a.content_sha256 == b.content_sha256:
        return f"{b.name} has the same images, labels and split as {a.name}."
    return f"{b.name} has the same images, labels and split as {a.name}, in another order."
