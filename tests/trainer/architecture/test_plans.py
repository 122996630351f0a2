"""A plan: each field within its bounds, what the fields must be together, and how many parameters the net has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import MAX_PARAMETERS, Plan
from tests.trainer.strategies import FIELDS

AT_THE_BOUNDS: list[dict[str, Any]] = [
    *({"filters": value, "units": ()} for value in [(), (1,), (512,), (1, 1, 1, 1)]),
    *({"convolutions": value} for value in (1, 3)),
    *({"units": value} for value in [(), (1,), (8192,), (1,) * 10]),
    *({"activation": value} for value in ("relu", "gelu", "elu", "selu", "silu", "leaky_relu", "tanh", "sigmoid")),
    *({"batch_normalization": value} for value in (False, True)),
    *({"dropout": value} for value in (0, 0.95)),
    *({"output_activation": value} for value in ("softmax", "sigmoid")),
    *({"optimizer": value} for value in ("adam", "adamw", "nadam", "rmsprop", "sgd")),
    *({"learning_rate": value} for value in (1e-12, 10)),
    *({"schedule": value} for value in ("constant", "cosine", "exponential")),
    *({"loss": value} for value in ("sparse_categorical_crossentropy", "categorical_crossentropy")),
    *({"label_smoothing": value} for value in (0, 0.5)),
    *({"class_weights": value} for value in ("none", "balanced")),
    *({"epochs": value} for value in (1, 1000)),
    *({"batch_size": value} for value in (1, 8192)),
    *({"validation": value} for value in ("none", "test", "split")),
    *({"validation_split": value} for value in (1e-9, 0.5)),
    *({"early_stopping": value, "validation": "split"} for value in (0, 1, 1000)),
    *({"augmentation": value} for value in ("none", "affine", "elastic")),
]

BEYOND: list[tuple[str, Any]] = [
    *(("filters", value) for value in [(0,), (513,), (8, -1), (1,) * 5, "1,2,3,4,5", "32;64", "32,x", 32]),
    *(("convolutions", value) for value in (0, 4, 1.5, "two")),
    *(("units", value) for value in [(0,), (8193,), (1,) * 11, (1.5,), "0", "8193", "128;64", "no", 128, [None]]),
    *(("activation", value) for value in ("ReLU", "softmax", "")),
    *(("batch_normalization", value) for value in (2, "perhaps")),
    *(("dropout", value) for value in (-0.01, 0.951, 1, float("nan"))),
    *(("output_activation", value) for value in ("relu", "")),
    *(("optimizer", value) for value in ("Adam", "lion")),
    *(("learning_rate", value) for value in (0, -0.001, 10.1, float("nan"), float("inf"))),
    *(("schedule", value) for value in ("step", "")),
    *(("loss", value) for value in ("mse", "")),
    *(("label_smoothing", value) for value in (-0.01, 0.51, float("nan"))),
    *(("class_weights", value) for value in ("0:1,1:5", True, "")),
    *(("epochs", value) for value in (0, 1001, 10**9, 1.5)),
    *(("batch_size", value) for value in (0, 8193, "many")),
    *(("validation", value) for value in ("train", True)),
    *(("validation_split", value) for value in (0, -0.1, 0.51, float("nan"))),
    *(("early_stopping", value) for value in (-1, 1001, 0.5)),
    *(("augmentation", value) for value in ("mixup", "")),
    ("momentum", 0.9),
]

BOTH = pytest.mark.parametrize("kind", [Plan, TrainingParameters])


def test_every_field_s_bounds_are_tried_here() -> None:
    fields = set(Plan.model_fields)

    assert {name for edge in AT_THE_BOUNDS for name in edge} == fields
    assert {name for name, _ in BEYOND} == fields | {"momentum"}
    assert set(FIELDS) == fields


@BOTH
@pytest.mark.parametrize("edge", AT_THE_BOUNDS, ids=str)
def test_values_at_the_bounds_are_taken(kind: type[Plan], edge: dict[str, Any]) -> None:
    taken = kind(**edge)

    assert {name: getattr(taken, name) for name in edge} == edge


@BOTH
@pytest.mark.parametrize(("name", "value"), BEYOND)
def test_values_beyond_them_are_refused_by_name(kind: type[Plan], name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        kind(**{name: value})

    assert {error["loc"][0] for error in refused.value.errors()} == {name}


@BOTH
@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("128, 64", (128, 64)),
        ("128,64", (128, 64)),
        (" 32 ", (32,)),
        ("32,", (32,)),
        ("none", ()),
        (" None ", ()),
        ("", ()),
    ],
)
@pytest.mark.parametrize("name", ["units", "filters"])
def test_layers_can_be_written_as_text(kind: type[Plan], name: str, text: str, layers: tuple[int, ...]) -> None:
    assert getattr(kind(**{name: text}), name) == layers


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Plan().epochs = 3  # type: ignore[misc]


def test_every_field_has_a_title_and_a_description_for_people() -> None:
    for name, field in Plan.model_fields.items():
        assert field.title, name
        assert field.description, name


@BOTH
@pytest.mark.parametrize("validation", ["none", "test"])
def test_early_stopping_without_a_split_is_refused_with_the_reason(kind: type[Plan], validation: str) -> None:
    with pytest.raises(ValidationError, match=r"needs validation=split: a model chosen on the test images") as refused:
        kind(early_stopping=3, validation=validation)

    assert [error["loc"] for error in refused.value.errors()] == [("early_stopping",)]


@BOTH
def test_a_net_of_twenty_million_parameters_is_the_largest(kind: type[Plan]) -> None:
    """The last unit of the second layer costs 8,192 + 1 + 10 parameters."""
    largest = Plan(units=(8192, 1654))
    assert MAX_PARAMETERS - 8203 < largest.parameter_count(classes=10) <= MAX_PARAMETERS == 20_000_000

    with pytest.raises(ValidationError, match=r"20,006,695 parameters; the maximum is 20,000,000: use fewer"):
        kind(units=(8192, 1655))


@BOTH
def test_convolutions_can_be_too_many_as_well(kind: type[Plan]) -> None:
    kind(filters=(512, 512, 512, 512), convolutions=2, units="none")

    with pytest.raises(ValidationError, match=r"would have 25,968,138 parameters"):
        kind(filters=(512, 512, 512, 512), convolutions=3, units="none")


@pytest.mark.parametrize(
    ("plan", "count"),
    [
        (Plan(units=(128, 64)), 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10),
        (Plan(units=()), 784 * 10 + 10),
        (Plan(filters=(8,), units=()), 9 * 8 + 8 + 14 * 14 * 8 * 10 + 10),
        (Plan(units=(5,), batch_normalization=True), 784 * 5 + 5 + 4 * 5 + 5 * 10 + 10),
    ],
    ids=["dense", "no hidden layer", "convolution", "batch normalization"],
)
def test_the_parameters_are_those_counted_by_hand(plan: Plan, count: int) -> None:
    assert plan.parameter_count(classes=10) == count


@settings(max_examples=12)
@given(
    plan=st.builds(
        Plan,
        filters=FIELDS["filters"],
        convolutions=FIELDS["convolutions"],
        units=FIELDS["units"],
        batch_normalization=FIELDS["batch_normalization"],
        dropout=FIELDS["dropout"],
        optimizer=st.just("sgd"),
    ),
    classes=st.integers(2, 256),
)
def test_any_net_has_as_many_parameters_as_keras_counts(plan: Plan, classes: int) -> None:
    model = build_model(plan, classes=classes, seed=1, steps=10)

    assert plan.parameter_count(classes) == model.count_params()
    assert model.output_shape == (None, classes)
