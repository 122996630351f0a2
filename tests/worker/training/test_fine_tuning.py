"""A training that starts from a model: what is checked when it is submitted, and what it says when it has ended."""

import shutil
from dataclasses import replace
from typing import Any

import keras
import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.models.ancestors import with_ancestor
from tenfold.worker.models.removal import delete_model
from tenfold.worker.services import Services
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep
from tenfold.worker.training.submission import submit_training
from tests.conftest import write_dataset
from tests.reviews import work_off

# A network that is compiled in a moment.
SMALL: dict[str, Any] = {"filters": "2", "units": "none", "epochs": 1}


@pytest.fixture
def tiny(services: Services, mnist: Dataset) -> Dataset:
    """A data set on the volume, of 640 images."""
    few = replace(mnist.head(train=640, test=100), name="tiny")
    write_dataset(few, services.volume.datasets / "tiny")
    return few


@pytest.fixture
def first(services: Services, tiny: Dataset) -> Job:
    """A training that has succeeded, from a recipe."""
    return work_off(services, submit_training(services, TrainingParameters(dataset="tiny", **SMALL)))


@pytest.fixture
def stored(services: Services, tiny: Dataset) -> Model:
    """A model of dense layers in the registry, with a file that nobody reads here."""
    directory = services.volume.model("stored")
    directory.mkdir()
    (directory / "model.keras").touch()
    model = Model(
        id="stored",
        recipe="dropout-128",
        dataset="tiny",
        parameters=TrainingParameters(recipe="dropout-128").resolved().model_dump(mode="json"),
        metrics={"input": InputSpec("digit").as_dict()},
        created_at=1.0,
    )
    with services.database.write() as session:
        session.add(model)
    return model


def fine_tuned(services: Services, model: Job | Model, **changes: Any) -> Job:
    parameters = TrainingParameters(**{"from_model": model.id, "dataset": "tiny"} | changes)
    return submit_training(services, parameters)


def metrics(services: Services, job: Job) -> dict[str, Any]:
    return services.models.get(job.id).metrics


def test_a_model_names_the_models_that_it_comes_from_and_what_it_forgot(services: Services, first: Job) -> None:
    second = work_off(services, fine_tuned(services, first))
    third = work_off(services, fine_tuned(services, second, freeze="convolutions"))

    assert third.state is JobState.SUCCEEDED
    assert third.parameters["learning_rate"] == pytest.approx(0.001 * 0.3 * 0.3)
    found = metrics(services, third)
    assert [ancestor["id"] for ancestor in found["ancestors"]] == [second.id, first.id]
    assert found["ancestors"][0] == {
        "id": second.id,
        "recipe": "custom",
        "dataset": "tiny",
        "test_accuracy": metrics(services, second)["test_accuracy"],
        "weights_sha256": metrics(services, second)["weights_sha256"],
    }
    assert found["forgetting"] == {
        "dataset": "tiny",
        "test_images": 100,
        "before": metrics(services, second)["test_accuracy"],
        "after": found["test_accuracy"],
    }
    assert third.summary is not None
    assert f"It started from the model {second.id}." in third.summary["notes"]
    card = (services.volume.model(third.id) / "model_card.md").read_text()
    assert f"- It started from the model {second.id}: custom on tiny" in card
    assert f"- That one started from the model {first.id}: custom on tiny" in card
    assert "- Frozen layers: convolutions" in card


def test_a_deleted_data_set_leaves_what_was_forgotten_unmeasured_and_says_so(
    services: Services, first: Job, tiny: Dataset
) -> None:
    write_dataset(tiny, services.volume.datasets / "other")
    shutil.rmtree(services.volume.datasets / "tiny")

    ended = work_off(services, fine_tuned(services, first, dataset="other"))

    assert metrics(services, ended)["forgetting"] is None
    assert ended.summary is not None
    assert any("could not be measured" in note for note in ended.summary["notes"])


def test_a_model_that_an_unfinished_training_starts_from_cannot_be_deleted(services: Services, stored: Model) -> None:
    job = fine_tuned(services, stored)

    with pytest.raises(WrongState, match=job.id):
        delete_model(services, stored.id)

    services.jobs.cancel(job.id)
    delete_model(services, stored.id)
    with pytest.raises(WrongState, match=f"the model {stored.id}, which it starts from, has been deleted"):
        submission.retry(services, job.id)
    assert services.jobs.get(job.id).state is JobState.CANCELLED


def test_a_training_whose_model_is_gone_all_the_same_fails_with_that_reason(services: Services, stored: Model) -> None:
    job = fine_tuned(services, stored)
    services.models.delete(stored.id)

    ended = work_off(services, job)

    assert ended.state is JobState.FAILED
    assert ended.error is not None
    assert f"The model {stored.id}, which this training starts from, has been deleted" in ended.error


def test_the_trials_of_a_sweep_start_from_its_model(services: Services, stored: Model) -> None:
    sweep = submit_sweep(
        services,
        SweepParameters(
            from_model=stored.id, dataset="tiny", space="freeze=none|all_but_head", method="grid", parallel=1
        ),
    )
    work_off(services, sweep)

    [trial] = services.jobs.trials(sweep.id)
    assert (trial.parameters["from_model"], trial.parameters["freeze"]) == (stored.id, "none")
    assert trial.parameters["units"] == [128]
    with pytest.raises(WrongState, match=sweep.id):
        delete_model(services, stored.id)


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"from_model": "nobody"}, "from_model", "no model .*'nobody'"),
        ({"recipe": "cnn"}, "recipe", r"network is that of the model stored \(dropout-128\)"),
        ({"units": "64"}, "units", "units cannot be changed"),
        ({"dropout": "0.5"}, "dropout", "dropout cannot be changed"),
        ({"freeze": "convolutions"}, "freeze", "no convolutions to freeze"),
    ],
    ids=str,
)
def test_what_cannot_start_from_a_model_is_refused_by_the_name_of_the_field(
    given: dict[str, str], field: str, message: str, services: Services, stored: Model
) -> None:
    with pytest.raises(InvalidSubmission, match=message) as refused:
        submit_training(services, TrainingParameters(**{"from_model": "stored", "dataset": "tiny"} | given))

    assert refused.value.field == field


def test_an_alias_is_recorded_as_the_model_that_it_named_at_the_time(services: Services, stored: Model) -> None:
    services.aliases.promote(stored.id, "letters-base", who=None)

    assert fine_tuned(services, stored, from_model="letters-base").parameters["from_model"] == stored.id


def test_the_model_s_own_recipe_and_network_may_be_named(services: Services, stored: Model) -> None:
    job = submit_training(
        services, TrainingParameters(from_model="stored", dataset="tiny", recipe="dropout-128", units="128")
    )

    assert job.parameters["units"] == [128]


def test_an_imported_network_is_fine_tuned_as_it_is(services: Services, tiny: Dataset) -> None:
    """Its plan is unknown, so nothing is said of its layers; nor is how good it was."""
    inner = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    layers = [keras.layers.Reshape((28, 28, 1)), inner, keras.layers.Softmax()]
    directory = services.volume.model("theirs")
    directory.mkdir()
    keras.Sequential([keras.Input((28, 28)), *layers]).save(directory / "model.keras")
    origin = {"origin": {"kind": "imported"}, "test_accuracy": None, "input": InputSpec("digit").as_dict()}
    with services.database.write() as session:
        session.add(
            Model(id="theirs", recipe="mine", dataset="unknown data", parameters={}, metrics=origin, created_at=1.0)
        )

    job = work_off(
        services, submit_training(services, TrainingParameters(from_model="theirs", dataset="tiny", epochs=1))
    )

    assert job.state is JobState.SUCCEEDED, job.error
    assert (job.parameters["recipe"], job.parameters["units"], job.parameters["learning_rate"]) == (
        *("custom", None),
        0.0003,
    )
    assert "- It started from the model theirs: mine on unknown data, test accuracy unknown" in (
        services.volume.model(job.id) / "model_card.md"
    ).read_text(encoding="utf-8")


def test_images_of_another_size_are_refused(services: Services, stored: Model, tiny: Dataset) -> None:
    larger = replace(get_dataset(services.volume, "tiny"), input=InputSpec("resize", 32, 32, 3))

    with pytest.raises(InvalidSubmission, match="stored takes 28×28 gray images, and those of tiny are 32×32 color"):
        with_ancestor(services, TrainingParameters(from_model="stored", dataset="tiny"), larger)


def test_a_model_without_a_keras_network_is_refused(services: Services, stored: Model) -> None:
    (services.volume.model("stored") / "model.keras").unlink()

    with pytest.raises(InvalidSubmission, match="has no Keras network"):
        submit_training(services, TrainingParameters(from_model="stored", dataset="tiny"))


def test_a_sweep_from_a_model_searches_no_networks() -> None:
    with pytest.raises(ValueError, match="'units' cannot be searched with from_model"):
        SweepParameters(from_model="stored", space="units=4|8")  # type: ignore[arg-type]
