"""A training's parameters: bounds, defaults, and what a person is told."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainer.parameters import TrainingParameters


def test_a_recipe_s_name_is_enough() -> None:
    parameters = TrainingParameters(recipe="rmsprop-512").resolved()

    assert (parameters.epochs, parameters.batch_size, parameters.learning_rate) == (5, 128, 0.001)
    assert (parameters.seed, parameters.dataset) == (1, "mnist")


def test_what_a_person_gives_is_kept() -> None:
    given = TrainingParameters(recipe="rmsprop-512", epochs=3, batch_size=7, learning_rate=0.5, seed=9)

    assert given.resolved() == given


@pytest.mark.parametrize(
    "edge",
    [
        {"epochs": 1},
        {"epochs": 1000},
        {"batch_size": 1},
        {"batch_size": 8192},
        {"learning_rate": 1e-12},
        {"learning_rate": 10},
        {"seed": 0},
        {"seed": 2**31 - 1},
    ],
)
def test_values_at_the_bounds_are_taken(edge: dict[str, Any]) -> None:
    TrainingParameters(recipe="dropout-128", **edge)


@pytest.mark.parametrize(
    "beyond",
    [
        {"epochs": 0},
        {"epochs": 1001},
        {"epochs": 10**9},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"batch_size": 8193},
        {"learning_rate": 0},
        {"learning_rate": -0.001},
        {"learning_rate": 10.1},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"seed": -1},
        {"seed": 2**31},
        {"dataset": "letters"},
        {"momentum": 0.9},
    ],
)
def test_values_beyond_them_are_refused_by_name(beyond: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingParameters(recipe="dropout-128", **beyond)

    assert [error["loc"] for error in refused.value.errors()] == [tuple(beyond)]


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"no recipe 'dense-9000'.*sigmoid-100.*dense-128-64"):
        TrainingParameters(recipe="dense-9000")


def test_every_parameter_has_a_title_and_a_description_for_people() -> None:
    for name, field in TrainingParameters.model_fields.items():
        assert field.title, name
        assert field.description, name
