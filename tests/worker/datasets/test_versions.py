"""A new version of a data set with corrected labels."""

import numpy as np
import pytest

from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.loading import load
from tenfold.worker.datasets.versions import Correction, VersionParameters, make_version, versions_of
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.services import Services
from tests.conftest import write_dataset


@pytest.fixture
def base(services: Services, mnist: Dataset) -> Dataset:
    write_dataset(mnist.head(60, 30), services.volume.dataset("base"))
    return load_dataset("base", services.volume.datasets)


def wrong(label: int) -> str:
    return str((label + 1) % 10)


def version(name: str, *corrections: tuple[str, int, str | None], content: str | None = None) -> VersionParameters:
    given = [{"part": part, "index": index, "label": label} for part, index, label in corrections]
    return VersionParameters.model_validate({"name": name, "corrections": given, "content_sha256": content})


def test_labels_are_changed_and_images_left_out_in_a_copy(services: Services, base: Dataset) -> None:
    label = wrong(int(base.train_labels[5]))

    made = make_version(services, "base", version("base-2", ("train", 5, label), ("test", 0, None), ("train", 9, None)))

    dataset = load_dataset("base-2", services.volume.datasets)
    expected = base.train_labels.copy()
    expected[5] = int(label)
    assert (dataset.train_labels == np.delete(expected, 9)).all()
    assert (dataset.train_images == np.delete(base.train_images, 9, axis=0)).all()
    assert (dataset.test_images == base.test_images[1:]).all()
    assert (dataset.test_labels == base.test_labels[1:]).all()
    assert dataset.class_names == base.class_names
    assert made.report["notes"] == ["Made from base: 1 label corrected, 2 images left out."]
    assert load_dataset("base", services.volume.datasets).content_sha256 == base.content_sha256
    assert [entry.name for entry in versions_of(services, "base")] == ["base-2"]


def test_it_has_the_content_hash_that_its_images_and_labels_have(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist, services.volume.dataset("mnist"))

    made = make_version(services, "mnist", version("mnist-2", ("train", 0, "3")))

    assert made.content_sha256 == load_dataset("mnist-2", services.volume.datasets).content_sha256
    assert made.content_sha256 != get_dataset(services.volume, "mnist").content_sha256
    assert "(content f2baaad0" in made.report["notes"][0]


@pytest.mark.parametrize(
    ("corrections", "field", "reason"),
    [
        ([("train", 60, "1")], "corrections.0", "There is no train image 60: base has 60, and numbers start at 0"),
        ([("train", 1, None), ("train", 1, "5")], "corrections.1", "corrected twice"),
        ([("test", 0, "seven")], "corrections.0", "base has no class 'seven'; it has: 0, 1"),
        ([("test", 0, "7")], "corrections.0", "has the label '7' already"),
        ([("test", number, None) for number in range(30)], "corrections", "leaves no test images"),
    ],
)
def test_an_invalid_correction_is_named_and_leaves_nothing(
    services: Services, base: Dataset, corrections: list[tuple[str, int, str | None]], field: str, reason: str
) -> None:
    with pytest.raises(InvalidSubmission, match=reason) as refused:
        make_version(services, "base", version("base-2", *corrections))

    assert refused.value.field == field
    assert [path.name for path in services.volume.datasets.iterdir()] == ["base"]


def test_a_name_in_use_is_refused(services: Services, base: Dataset) -> None:
    with pytest.raises(InvalidSubmission, match="already in use") as refused:
        make_version(services, "base", version("base", ("test", 0, None)))

    assert refused.value.field == "name"


def test_corrections_of_other_content_are_refused(services: Services, base: Dataset) -> None:
    with pytest.raises(WrongState, match="has changed since"):
        make_version(services, "base", version("base-2", ("test", 0, None), content="another"))


def test_a_correction_names_a_part() -> None:
    with pytest.raises(ValueError, match="part"):
        Correction.model_validate({"part": "validation", "index": 0, "label": "1"})


def test_its_preview_is_drawn_when_a_job_first_reads_it(services: Services, base: Dataset) -> None:
    make_version(services, "base", version("base-2", ("test", 0, None)))
    assert not get_dataset(services.volume, "base-2").has_preview

    dataset = load(services.volume, "base-2")

    entry = get_dataset(services.volume, "base-2")
    assert entry.has_preview
    assert entry.content_sha256 == dataset.content_sha256
