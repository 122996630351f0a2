"""The labeled images that an import checks the declaration of a model on."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.files.class_names import ClassNames
from tenfold.trainer.images import Normalized, normalize_all
from tenfold.trainer.importing.measuring import SEED, Sample
from tenfold.trainer.input_spec import SIDE, InputSpec
from tenfold.worker.classification.labels.folders import FolderLabels, find_folder_labels
from tenfold.worker.classification.reading.images import Problem, read_images
from tenfold.worker.datasets.loading import load
from tenfold.worker.errors import ArchiveError
from tenfold.worker.model_import.parameters import PREPROCESSINGS
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.sources import Limits, Member, open_source, prepare

# More images are not measured: with 20,000, an accuracy is known to a fraction of a point.
MAX_IMAGES = 20_000


def sample_of_dataset(
    services: Services, name: str, spec: InputSpec, class_names: Sequence[str], check: Callable[[], None]
) -> Sample:
    """The test images of a data set.

    Raises:
        ModelRefused: its images or classes are not the model's.
        DatasetMissing, DatasetInvalid: it can't be loaded.
    """
    dataset = load(services.volume, name)
    has = dataset.input
    if has.shape != spec.shape:
        raise ModelRefused(
            "check",
            f"The data set {name} has {has.size} images; the model takes {spec.size}. Check on a data set of this "
            "size, or on a zip of class folders.",
        )
    labels = _indices([dataset.class_names[label] for label in range(len(dataset.class_names))], class_names, name)
    images, truth = _at_most(dataset.test_images, labels[dataset.test_labels])
    otherwise: dict[str, Bytes] = {}
    notes = []
    if has.preprocessing != spec.preprocessing:
        notes.append(
            f"The images of {name} were prepared by {has.preprocessing} when it was imported, not by "
            f"{spec.preprocessing}: how good the model is on images as they will come isn't known from them."
        )
    elif spec.preprocessing == "resize" and spec.shape == (SIDE, SIDE):
        otherwise["digit"] = np.stack([image.pixels for image in normalize_all(list(images), "auto", "auto")])
    check()
    return Sample(name, images, truth, otherwise, notes)


def sample_of_zip(
    path: Path,
    name: str,
    spec: InputSpec,
    class_names: Sequence[str],
    settings: Settings,
    work: Path,
    check: Callable[[], None],
) -> Sample:
    """The images in the class folders of an archive, prepared as declared and otherwise.

    Raises:
        ModelRefused: it is damaged, or has no images in folders named like the classes.
    """
    classes = ClassNames(tuple(class_names))
    index = {label: place for place, label in enumerate(class_names)}
    limits = Limits.of(settings)
    try:
        prepare(path, work, limits, check)
        with open_source(path, work, limits) as source:
            listing = source.listing
            folders = FolderLabels(find_folder_labels(listing.folders, classes), classes)
            positions = listing.images.positions
            if len(positions) > MAX_IMAGES:
                chosen = np.sort(np.random.default_rng(SEED).permutation(len(positions))[:MAX_IMAGES])
                positions = array("Q", [positions[place] for place in chosen])
            members = [member for member in source.members(positions) if folders.of(member.name) is not None]
            if not members:
                raise ModelRefused(
                    "check",
                    f"No image of {name} is in a folder named like one of the classes ({_some(class_names)}); its "
                    f"folders are {_some(sorted(listing.folders))}. Name the folders or the classes (--classes) alike.",
                )
            truth = np.array([index[folders.of(member.name) or ""] for member in members], np.int64)

            def prepared(by: InputSpec) -> tuple[Mapping[int, Bytes], str]:
                return _pixels(source, members, by, settings, check)

            pixels, problem = prepared(spec)
            if not pixels:
                raise ModelRefused("check", f"None of the {len(members):,} images of {name} can be read: {problem}")
            readable = sorted(pixels)
            otherwise: dict[str, Bytes] = {}
            for preprocessing in PREPROCESSINGS[:2]:
                if preprocessing != spec.preprocessing and (preprocessing == "resize" or spec.channels == 1):
                    others, _ = prepared(replace(spec, preprocessing=preprocessing))
                    if others.keys() == pixels.keys():
                        otherwise[preprocessing] = np.stack([others[place] for place in readable])
    except ArchiveError as error:
        raise ModelRefused("check", str(error)) from error
    notes = []
    if left_out := len(members) - len(readable):
        notes.append(f"{left_out:,} of the {len(members):,} images of {name} can't be read: {problem}")
    if unlabeled := len(positions) - len(members):
        notes.append(f"{unlabeled:,} images of {name} are in no folder named like a class, and were left out.")
    return Sample(name, np.stack([pixels[place] for place in readable]), truth[readable], otherwise, notes)


def _pixels(
    source: Any, members: Sequence[Member], spec: InputSpec, settings: Settings, check: Callable[[], None]
) -> tuple[dict[int, Bytes], str]:
    """The readable images by their place among the members, and what is wrong with the last other one."""
    found, problem = {}, ""
    images = read_images(
        source,
        members,
        Preparation(spec),
        max_image_bytes=settings.max_image_bytes,
        threads=1,
        report=lambda _: check(),
    )
    for place, (_, image) in enumerate(images):
        if isinstance(image, Normalized):
            found[place] = image.pixels
        elif isinstance(image, Problem):
            problem = image.message
    return found, problem


def _indices(names: Sequence[str], class_names: Sequence[str], dataset: str) -> npt.NDArray[np.int64]:
    """The index among the model's classes of each class of a data set.

    Raises:
        ModelRefused: the model has none of this name.
    """
    index = {label: place for place, label in enumerate(class_names)}
    if foreign := [name for name in names if name not in index]:
        remedy = f"If the outputs are in its order, import with --classes {','.join(names)}."
        raise ModelRefused(
            "classes",
            f"The data set {dataset} has classes that the model's declaration lacks: {_some(foreign)}. The declared "
            f"ones are {_some(class_names)}. {remedy if len(names) == len(class_names) else 'Check on another one.'}",
        )
    return np.array([index[name] for name in names], np.int64)


def _at_most(images: Bytes, labels: npt.NDArray[np.int64]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    if len(labels) <= MAX_IMAGES:
        return images, labels
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(labels))[:MAX_IMAGES])
    return images[chosen], labels[chosen]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown or "none"
