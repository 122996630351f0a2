"""Engines train on images of any size, color and scaling, and on more classes than a byte can count."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.augmentation import draw_distortions
from tenfold.trainer.training.engines import make_engine
from tenfold.trainer.training.engines.engine import evaluate_in_batches
from tenfold.trainer.training.engines.stepwise import StepwiseEngine
from tests.trainer.trainings import run_in_order

COLOR = InputSpec("resize", 9, 12, 3, scaling="-1-1")
PLAN = Plan(filters=(3,), units=(8,), batch_size=16)

ON_JAX = """
import json
from tests.trainer.training.engines import test_inputs
engines = (test_inputs.make_engine, test_inputs.StepwiseEngine)
print(json.dumps([test_inputs.trained_weights(engine) for engine in engines]))
"""


def images_of(spec: InputSpec, count: int = 64) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    random = np.random.default_rng(2)
    return random.integers(0, 256, (count, *spec.shape), np.uint8), random.integers(0, 10, count).astype(np.uint8)


def trained_weights(engine_of: type) -> list[float]:
    """Sums of the weights after an epoch with elastic distortions."""
    model = build_model(PLAN, classes=10, seed=5, steps=100, spec=COLOR)
    images, labels = images_of(COLOR)
    distortions = draw_distortions("elastic", len(images), np.random.default_rng(3))
    with engine_of(model, images, labels, batch_size=16, spec=COLOR) as engine:
        list(engine.train(np.arange(len(images), dtype=np.int32), distortions))
    return [float(np.abs(weight).sum()) for weight in model.get_weights()]


def test_every_engine_trains_the_same_on_scaled_color_images() -> None:
    """On each backend as step by step; Keras initializes weights differently on another backend."""
    on_jax = subprocess.run(
        [sys.executable, "-c", ON_JAX], env=os.environ | {"KERAS_BACKEND": "jax"}, capture_output=True, text=True
    )

    assert on_jax.returncode == 0, on_jax.stderr
    many, stepwise = json.loads(on_jax.stdout.splitlines()[-1])
    assert many == pytest.approx(stepwise, rel=1e-3)
    assert trained_weights(make_engine) == pytest.approx(trained_weights(StepwiseEngine), rel=1e-3)  # type: ignore[arg-type]


@pytest.mark.parametrize("scaling", ["0-1", "-1-1", "0-255"])
@pytest.mark.parametrize("orientation", ["upright", "transposed"])
def test_a_network_is_tested_and_asked_on_what_it_was_declared_to_take(scaling: str, orientation: str) -> None:
    spec = InputSpec("resize", 9, 12, 3, scaling, orientation)  # type: ignore[arg-type]
    model = build_model(PLAN, classes=10, seed=5, steps=100, spec=spec)
    images, labels = images_of(spec)
    inputs = spec.scaled(spec.oriented(images).astype(np.float32))

    expected = model.predict(inputs, verbose=0)
    loss, accuracy = model.evaluate(inputs, labels, verbose=0)
    np.testing.assert_allclose(Classifier(model, spec=spec).classify(images), expected, atol=1e-5)
    assert evaluate_in_batches(model, images, labels, spec) == pytest.approx(
        {"loss": loss, "accuracy": accuracy}, rel=1e-4
    )


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_thousand_classes_are_learned(loss: str) -> None:
    labels = np.arange(1000, dtype=np.int32)
    images = np.random.default_rng(1).integers(0, 256, (1000, 8, 8), np.uint8)
    spec = InputSpec("resize", 8, 8)
    plan = Plan(units=(256,), learning_rate=0.003, loss=loss)  # type: ignore[arg-type]
    model = build_model(plan, classes=1000, seed=1, steps=2000, spec=spec)
    with make_engine(model, images, labels, batch_size=50, spec=spec) as engine:
        for _ in range(25):
            run_in_order(engine, 1000)

        assert engine.test(images, labels)["accuracy"] > 0.9


def test_networks_of_every_recipe_fit_other_sizes_and_colors() -> None:
    from tenfold.trainer.architecture.recipes import RECIPES

    for spec in (InputSpec("resize", 32, 32, 3), InputSpec("none", 17, 40), InputSpec("digit", 8, 8)):
        for recipe in RECIPES.values():
            assert recipe.plan.problem(1000, spec) is None, recipe.name
            model = build_model(recipe.plan, classes=12, seed=1, steps=1, spec=spec)
            assert model.count_params() == recipe.plan.parameter_count(12, spec)
            keras.backend.clear_session()
