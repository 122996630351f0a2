"""The same on JAX, without TensorFlow, in a process of its own: the backend is chosen when Keras is imported."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model, on_logits
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.evaluation.calibration import calibrate
from tenfold.trainer.reports.artifacts import write_artifacts
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.engines import make_engine
from tenfold.trainer.training.loop import Trained, train
from tests.paths import ROOT
from tests.trainer.trainings import (
    CLASS_WEIGHT,
    Killed,
    figures,
    image_weights,
    kill_in_epoch,
    run_in_order,
    scaled,
    state,
)

pytestmark = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'tenfold[jax]'")

# All that has a state (batch normalization, dropout, the optimizer, the schedule, distortions), and class weights.
EVERYTHING: dict[str, Any] = {
    **{"units": (32,), "batch_normalization": True, "dropout": 0.1, "optimizer": "adamw"},
    **{"schedule": "cosine", "learning_rate": 0.01, "augmentation": "elastic", "label_smoothing": 0.05},
    **{"epochs": 2, "validation": "split", "validation_split": 0.25, "early_stopping": 5, "class_weights": "balanced"},
}

SIGMOID = Plan(units=(32,), output_activation="sigmoid", learning_rate=0.01)


# What the other process does.


def train_on_jax(directory: Path, datasets: Path) -> None:
    """Leave in the directory what the tests look at."""
    from tenfold.trainer import runtime

    runtime.configure(1)
    digits = load_dataset("mnist", datasets).head(train=2048, test=500)
    facts = {
        "backend": keras.backend.backend(),
        "fit": _compare_with_fit(digits.head(train=960, test=0)),
        "weighted fit": _compare_with_fit(digits.head(train=960, test=0), CLASS_WEIGHT),
        "sigmoid": sigmoid_losses(digits.head(train=960, test=500), directory),
        **_interrupt_and_resume(digits, directory),
    }
    (directory / "facts.json").write_text(json.dumps(facts))


def _compare_with_fit(digits: Dataset, class_weight: dict[int, float] | None = None) -> dict[str, Any]:
    plan = Plan(units=(32, 16), loss="categorical_crossentropy")
    fitted, ours = (build_model(plan, classes=10, seed=5, steps=10) for _ in range(2))
    target = keras.utils.to_categorical(digits.train_labels, 10)
    weighted: dict[str, Any] = {"class_weight": class_weight} if class_weight else {}
    keras_says = fitted.fit(scaled(digits), target, batch_size=96, shuffle=False, verbose=0, **weighted).history
    weights = image_weights(digits, class_weight) if class_weight else None
    engine = make_engine(ours, digits.train_images, digits.train_labels, batch_size=96, weights=weights)
    steps = run_in_order(engine, 960)
    pairs = zip(ours.get_weights(), fitted.get_weights(), strict=True)
    return {
        "engine": type(engine).__name__,
        "steps": steps,
        "apart": max(float(np.abs(mine - theirs).max()) for mine, theirs in pairs),
        "loss": engine.metrics()["loss"],
        "loss_of_keras": keras_says["loss"][0],
    }


def sigmoid_losses(digits: Dataset, directory: Path) -> dict[str, float]:
    """Of a net with sigmoid outputs: evaluated, and then trained by the recipe's own step, in either process."""
    model = keras.models.load_model(directory / "sigmoid.keras")
    evaluated = evaluate(model, digits.test_images, digits.test_labels).loss
    with on_logits(model), make_engine(model, digits.train_images, digits.train_labels, batch_size=96) as engine:
        run_in_order(engine, 960)
        trained = engine.metrics()["loss"]
    return {"evaluated": evaluated, "trained": trained, "weights": float(np.abs(model.get_weights()[-2]).sum())}


def _interrupt_and_resume(digits: Dataset, directory: Path) -> dict[str, Any]:
    parameters, checkpoint = TrainingParameters(**EVERYTHING), directory / "checkpoint.npz"
    after_epochs: list[tuple[int, str]] = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: after_epochs.append((epoch + 1, _digest(note.model)))
    )
    trained = train(parameters, digits, callbacks=[note])
    with suppress(Killed):
        train(parameters, digits, checkpoint=checkpoint, on_progress=kill_in_epoch(2), callbacks=[note])
    epochs_run: set[int] = set()
    resumed = train(parameters, digits, checkpoint=checkpoint, on_progress=lambda seen: epochs_run.add(seen.epoch))

    measured = evaluate(trained.model, digits.test_images, digits.test_labels)
    model = directory / "model"
    model.mkdir()
    metrics = write_artifacts(trained, measured, calibrate(trained, measured, digits), digits, model)
    np.save(directory / "of_jax.npy", measured.probabilities)
    other = Classifier.load(directory / "tensorflow.keras")
    np.save(directory / "of_tensorflow_on_jax.npy", other.classify(digits.test_images))
    return {
        "after_epochs": after_epochs,
        "uninterrupted": [_digest(trained.model), figures(trained)],
        "resumed": [_digest(resumed.model), figures(resumed)],
        "epochs_run": sorted(epochs_run),
        "metrics": metrics,
    }


def _digest(model: keras.Model) -> str:
    """Of the weights and all else that a training goes on from."""
    return hashlib.sha256(b"".join(state(model))).hexdigest()


# What is looked at here.


@pytest.fixture(scope="module")
def on_jax(with_dropout: Trained, datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the other process left, to which a model of this process was given."""
    directory = tmp_path_factory.mktemp("jax")
    with_dropout.model.save(directory / "tensorflow.keras")
    build_model(SIGMOID, classes=10, seed=3, steps=10).save(directory / "sigmoid.keras")
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from pathlib import Path; from tests.trainer.training.engines.test_jax import train_on_jax\n"
        f"train_on_jax(Path({str(directory)!r}), Path({str(datasets)!r}))"
    )
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(directory / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    environment = os.environ | compiled | {"KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def facts(on_jax: Path) -> dict[str, Any]:
    return dict(json.loads((on_jax / "facts.json").read_text()))


@pytest.mark.parametrize("name", ["fit", "weighted fit"])
def test_an_epoch_is_the_one_that_keras_fit_runs(name: str, facts: dict[str, Any]) -> None:
    fit = facts[name]

    assert (facts["backend"], fit["engine"]) == ("jax", "JaxEngine")
    assert fit["steps"] == [10]
    assert fit["apart"] < 1e-4
    assert fit["loss"] == pytest.approx(fit["loss_of_keras"], rel=1e-4)


def test_the_same_seed_gives_the_same_weights_bit_for_bit(facts: dict[str, Any]) -> None:
    first, second, again = facts["after_epochs"]

    assert [first[0], second[0], again[0]] == [1, 2, 1]
    assert again == first
    assert again[1] != second[1]


def test_an_interrupted_training_ends_with_the_same_weights(facts: dict[str, Any]) -> None:
    assert facts["epochs_run"] == [2]
    assert facts["resumed"] == facts["uninterrupted"]


def test_it_learns_and_all_that_is_kept_of_a_training_is_written(on_jax: Path, facts: dict[str, Any]) -> None:
    metrics = facts["metrics"]

    assert metrics["train_accuracy"] > 0.6
    assert metrics["versions"].keys() == {"keras", "jax", "numpy"}
    assert metrics["calibration"]["fitted_on"] == "validation_split"
    assert json.loads((on_jax / "model" / "metrics.json").read_text()) == metrics
    assert sorted(file.name for file in (on_jax / "model").iterdir()) == [
        *("confusion.png", "curves.png", "history.csv", "metrics.json", "mistakes.png", "model.keras"),
        *("model_card.md", "novelty.npz", "predictions.png", "reliability.png", "samples.png", "summary.txt"),
    ]


def test_the_other_backend_answers_as_the_one_that_trained(
    on_jax: Path, facts: dict[str, Any], with_dropout: Trained, digits: Dataset
) -> None:
    trained_on_jax = Classifier.load(on_jax / "model" / "model.keras")

    here = trained_on_jax.classify(digits.test_images), Classifier(with_dropout.model).classify(digits.test_images)

    there = np.load(on_jax / "of_jax.npy"), np.load(on_jax / "of_tensorflow_on_jax.npy")
    for ours, theirs in zip(here, there, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert np.abs(here[0] - here[1]).max() > 0.1, "they are two models"


def test_its_figures_are_those_of_the_other_backend(on_jax: Path, facts: dict[str, Any], digits: Dataset) -> None:
    model = keras.models.load_model(on_jax / "model" / "model.keras")

    measured = evaluate(model, digits.test_images, digits.test_labels)

    assert measured.accuracy == facts["metrics"]["test_accuracy"]
    assert measured.loss == pytest.approx(facts["metrics"]["test_loss"], rel=1e-4)


def test_sigmoid_outputs_have_one_loss_on_every_backend(
    on_jax: Path, facts: dict[str, Any], whole_batches: Dataset
) -> None:
    """Keras alone takes another on JAX: some 2.3 nats at the start, of p / sum(p), and its gradient."""
    here = sigmoid_losses(whole_batches.head(train=960, test=500), on_jax)

    assert facts["sigmoid"] == pytest.approx(here, rel=1e-3)
