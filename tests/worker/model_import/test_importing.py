"""Importing a model that was made elsewhere: from the upload to answers, with everything real but the queue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.worker.datasets.datasets import delete_dataset
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import InvalidSubmission, LeaseLost, WrongState
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.model_import.sample import sample_of_dataset, sample_of_zip
from tenfold.worker.model_import.step import import_model
from tenfold.worker.model_import.submission import submit_model_import
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.foreign_models import linear_onnx, onnx_file, saved, trained
from tests.reviews import classified, digits, work_off
from tests.uploads import received, zipped

DIGITS = ",".join("0123456789")


@pytest.fixture(scope="module")
def network(mnist: Dataset) -> keras.Model:
    return trained(mnist)


@pytest.fixture(scope="module")
def keras_file(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(network, tmp_path_factory.mktemp("model") / "mine.keras").read_bytes()


@pytest.fixture(scope="module")
def onnx_bytes(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same network as ONNX, which takes one image at a time, as PyTorch exports without dynamic axes."""
    weights = np.asarray(network.layers[-1].kernel)
    path = tmp_path_factory.mktemp("model") / "mine.onnx"
    return onnx_file(linear_onnx(shape=(1, 1, 28, 28), weights=weights), path).read_bytes()


def submit(services: Services, content: bytes, sample: bytes | None = None, **parameters: Any) -> Job:
    given = ModelImportParameters.model_validate({"input": "28x28x1", "preprocessing": "digit", **parameters})
    zipped_sample = received(services, sample, "sample.zip") if sample else None
    return submit_model_import(services, given, received(services, content, "mine.keras"), zipped_sample)


def left_behind(services: Services, job: Job) -> list[str]:
    """What a job has on the volume, besides its log."""
    files = [path.name for path in services.volume.job(job.id).iterdir() if path.name != "log.txt"]
    return sorted(files) + sorted(path.name for path in services.volume.models.iterdir())


def in_class_folders(mnist: Dataset, images: int, turned: Callable[[Any], Any] = lambda image: image) -> bytes:
    return zipped(
        {
            f"{label}/{number:04d}.png": png(turned(image))
            for number, (image, label) in enumerate(
                zip(mnist.test_images[:images], mnist.test_labels[:images], strict=True)
            )
        }
    )


def test_a_keras_model_is_measured_on_a_data_set_and_then_classifies(
    services: Services, mnist: Dataset, keras_file: bytes
) -> None:
    write_dataset(mnist.head(train=100, test=2000), services.volume.datasets / "tiny")
    job = work_off(
        services, submit(services, keras_file, classes=DIGITS, name="my linear net", check="tiny", exports="onnx")
    )

    assert job.state is JobState.SUCCEEDED, job.error
    summary = job.summary or {}
    assert summary["accuracy"] > 0.85
    assert summary["interval"][0] < summary["accuracy"] < summary["interval"][1]
    assert summary["warnings"] == []
    assert any("softmax is applied" in note for note in summary["notes"])
    assert left_behind(services, job) == [job.id]

    model = services.models.get(job.id)
    assert (model.recipe, model.dataset) == ("my linear net (imported)", "tiny")
    assert model.metrics["origin"]["sha256"] == job.source["sha256"]
    assert model.input.preprocessing == "digit"
    assert {"model.keras", "model.onnx", "metrics.json", "model_card.md", "confusion.png", "novelty.npz"} <= set(
        services.volume.model_files(job.id)
    )

    answered = classified(services, digits(mnist, 20), model=job.id, review_below=None, max_error_rate=0.3)
    assert answered.state is JobState.SUCCEEDED
    assert (answered.summary or {})["accepted"] > 0


def test_an_onnx_model_answers_as_the_keras_model_that_it_was_made_from(
    services: Services, mnist: Dataset, network: keras.Model, onnx_bytes: bytes
) -> None:
    job = work_off(services, submit(services, onnx_bytes, in_class_folders(mnist, 300), preprocessing="none"))

    assert job.state is JobState.SUCCEEDED, job.error
    pixels = (mnist.test_images[:300] / np.float32(255))[..., None]
    logits = pixels.reshape(300, 784) @ np.asarray(network.layers[-1].kernel)
    summary = job.summary or {}
    assert summary["accuracy"] == pytest.approx((logits.argmax(axis=1) == mnist.test_labels[:300]).mean())
    assert any("0 to 9, since none were named" in note for note in summary["notes"])
    assert not any("at a time" in note for note in summary["notes"]), "it was given any batch size"
    assert "model.onnx" in services.volume.model_files(job.id)


def test_without_a_sample_nothing_is_measured_and_no_answer_is_accepted(
    services: Services, mnist: Dataset, keras_file: bytes
) -> None:
    job = work_off(services, submit(services, keras_file))

    assert job.state is JobState.SUCCEEDED, job.error
    assert (job.summary or {})["accuracy"] is None
    assert any(note.startswith("Nothing was measured") for note in (job.summary or {})["notes"])
    answered = classified(services, digits(mnist, 5), model=job.id, review_below=None)
    assert (answered.summary or {})["accepted"] == 0


def test_a_wrong_declaration_is_an_error_that_leaves_nothing_behind(services: Services, onnx_bytes: bytes) -> None:
    job = work_off(services, submit(services, onnx_bytes, input="32x32x3", preprocessing="resize"))

    assert job.state is JobState.FAILED
    assert (job.error or "").startswith("input: The network takes images of shape (1, 28, 28), not the declared")
    assert left_behind(services, job) == []


def test_classes_that_the_data_set_has_not_are_named_with_the_option(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist.head(train=100, test=100), services.volume.datasets / "tiny")
    with pytest.raises(ModelRefused) as refused:
        sample_of_dataset(services, "tiny", DIGIT, tuple("abcdefghij"), lambda: None)
    assert refused.value.field == "classes"
    assert "--classes 0,1,2,3,4,5,6,7,8,9" in refused.value.message


def test_a_data_set_of_another_size_is_no_check(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist.head(train=100, test=100), services.volume.datasets / "tiny")
    with pytest.raises(ModelRefused, match="28×28 gray images; the model takes 32×32 color"):
        sample_of_dataset(services, "tiny", InputSpec("resize", 32, 32, 3), tuple("0123456789"), lambda: None)


def test_a_zip_without_folders_of_these_classes_is_no_check(services: Services, mnist: Dataset, tmp_path: Path) -> None:
    (tmp_path / "sample.zip").write_bytes(zipped({"cat/1.png": png(mnist.test_images[0])}))
    with pytest.raises(ModelRefused, match=r"named like one of the classes \(0, 1\); its folders are cat"):
        sample_of_zip(
            tmp_path / "sample.zip", "sample.zip", DIGIT, ("0", "1"), services.settings, tmp_path, lambda: None
        )


def test_a_data_set_that_a_check_waits_for_is_not_deleted(
    services: Services, mnist: Dataset, keras_file: bytes
) -> None:
    write_dataset(mnist.head(train=100, test=100), services.volume.datasets / "tiny")
    submit(services, keras_file, check="tiny")
    with pytest.raises(WrongState):
        delete_dataset(services, "tiny")


def test_a_data_set_that_does_not_exist_is_refused_at_once(services: Services, keras_file: bytes) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        submit(services, keras_file, check="missing")
    assert refused.value.field == "check"
    assert list(services.volume.jobs.iterdir()) == []
    assert list(services.volume.uploads.iterdir()) == []


def test_a_worker_that_lost_its_lease_leaves_no_model(services: Services, keras_file: bytes) -> None:
    job = submit(services, keras_file)
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "worker")
    assert lease is not None
    services.jobs.cancel(job.id)
    with pytest.raises(LeaseLost):
        import_model(services, lease, lambda: services.leases.renew(lease))
    assert Path(services.volume.model(job.id)).exists() is False
