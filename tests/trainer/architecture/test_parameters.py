"""A training's parameters: a recipe, what a person changes of its plan, and what they are told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tenfold.trainer.architecture.parameters import NETWORK, TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES
from tests.trainer.strategies import changes


def submissions() -> st.SearchStrategy[TrainingParameters]:
    """Any recipe with any changes that go with it."""
    about = st.fixed_dictionaries(
        {"recipe": st.sampled_from(sorted(RECIPES))},
        optional={
            "dataset": st.sampled_from(["mnist", "fashion-mnist", "my_letters.2"]),
            "seed": st.integers(0, 2**31 - 1),
            "exports": st.lists(st.sampled_from(["savedmodel", "onnx", "litert"]), unique=True).map(tuple),
        },
    )
    return st.builds(lambda fixed, changed: TrainingParameters(**fixed, **changed), about, changes())


def test_a_recipe_s_name_is_enough() -> None:
    parameters = TrainingParameters(recipe="rmsprop-512").resolved()

    assert (parameters.epochs, parameters.batch_size, parameters.learning_rate) == (5, 128, 0.001)
    assert (parameters.units, parameters.optimizer) == ((512,), "rmsprop")
    assert (parameters.seed, parameters.dataset, parameters.exports) == (1, "mnist", ())


def test_without_any_name_the_net_is_the_one_to_fill_in() -> None:
    assert TrainingParameters().recipe == "custom"
    assert TrainingParameters().plan() == Plan()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_without_changes_is_its_own_plan(name: str) -> None:
    assert TrainingParameters(recipe=name).plan() == RECIPES[name].plan


@pytest.mark.parametrize("name", Plan.model_fields)
def test_none_of_a_field_means_the_recipe_s_own_value(name: str) -> None:
    parameters = TrainingParameters(recipe="cnn-augmented", **{name: None})

    assert getattr(parameters, name) is None
    assert getattr(parameters.resolved(), name) == getattr(RECIPES["cnn-augmented"].plan, name)


def test_only_what_is_named_differs_from_the_recipe() -> None:
    parameters = TrainingParameters(recipe="cnn", units="none", dropout=0, epochs=3)

    assert parameters.plan() == RECIPES["cnn"].plan.model_copy(update={"units": (), "dropout": 0.0, "epochs": 3})


def test_what_a_person_gives_is_kept() -> None:
    given = TrainingParameters(recipe="rmsprop-512", epochs=3, batch_size=7, learning_rate=0.5, seed=9).resolved()

    assert (given.epochs, given.batch_size, given.learning_rate, given.seed) == (3, 7, 0.5, 9)


def test_changes_names_what_differs_and_nothing_else() -> None:
    parameters = TrainingParameters(recipe="dropout-128", epochs=10, dropout=0.5, seed=4, exports="onnx, litert")

    assert parameters.changes() == {
        "recipe": "dropout-128",
        "dataset": "mnist",
        "seed": 4,
        "exports": ["onnx", "litert"],
        "dropout": 0.5,
    }


@given(submissions())
def test_any_submission_comes_back_from_its_changes(parameters: TrainingParameters) -> None:
    again = TrainingParameters(**parameters.changes())

    assert again.plan() == parameters.plan()
    assert again.resolved() == parameters.resolved()
    assert again.changes() == parameters.changes() == parameters.resolved().changes()


@given(submissions())
def test_any_submission_resolves_to_its_whole_plan(parameters: TrainingParameters) -> None:
    resolved = parameters.resolved()

    assert {name: getattr(resolved, name) for name in Plan.model_fields} == parameters.plan().model_dump()
    assert resolved.resolved() == resolved


@given(submissions())
def test_any_submission_survives_json(parameters: TrainingParameters) -> None:
    assert TrainingParameters.model_validate_json(parameters.model_dump_json()) == parameters


@pytest.mark.parametrize(
    "edge",
    [
        {"seed": 0},
        {"seed": 2**31 - 1},
        {"dataset": "a" * 64},
        {"dataset": "0.my-letters_2"},
        {"exports": "savedmodel,onnx,litert"},
        {"exports": "none"},
    ],
    ids=str,
)
def test_seed_data_set_and_exports_at_the_bounds_are_taken(edge: dict[str, Any]) -> None:
    TrainingParameters(recipe="dropout-128", **edge)


@pytest.mark.parametrize(
    "beyond",
    [
        {"seed": -1},
        {"seed": 2**31},
        {"seed": 1.5},
        {"dataset": ""},
        {"dataset": "Letters"},
        {"dataset": ".hidden"},
        {"dataset": "../mnist"},
        {"dataset": "mnist\n"},
        {"dataset": "a" * 65},
        {"exports": "pickle"},
        {"exports": ["onnx", "pickle"]},
        {"momentum": 0.9},
    ],
    ids=str,
)
def test_what_is_beyond_them_is_refused_by_name(beyond: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingParameters(recipe="dropout-128", **beyond)

    assert {error["loc"][0] for error in refused.value.errors()} == set(beyond)


def test_changes_that_do_not_go_with_the_recipe_are_refused() -> None:
    TrainingParameters(recipe="cnn", validation="split", early_stopping=3)

    with pytest.raises(ValidationError, match="needs validation=split"):
        TrainingParameters(recipe="dropout-128", early_stopping=3)
    with pytest.raises(ValidationError, match="the maximum is 20,000,000"):
        TrainingParameters(recipe="cnn", filters="512", units="8192")


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"no recipe 'dense-9000'.*sigmoid-100.*dense-128-64"):
        TrainingParameters(recipe="dense-9000")


def test_every_parameter_has_a_title_and_a_description_for_people() -> None:
    about = {"recipe", "dataset", "from_model", "freeze", "seed", "exports"}
    assert set(TrainingParameters.model_fields) == about | set(Plan.model_fields)
    for name, field in TrainingParameters.model_fields.items():
        assert field.title, name
        assert field.description, name


CNN = TrainingParameters(recipe="cnn", validation="split", epochs=3).resolved().model_dump(mode="json")


@pytest.mark.parametrize(("known", "rate"), [(True, 0.0006), (False, 0.002)])
def test_a_training_from_a_model_takes_that_model_s_values_and_less_of_its_rate_for_known_classes(
    known: bool, rate: float
) -> None:
    given = TrainingParameters(from_model="production", batch_size=7)

    parameters = given.started_from("01abc", "cnn", CNN, known=known)

    assert (parameters.from_model, parameters.recipe, parameters.batch_size) == ("01abc", "cnn", 7)
    assert (parameters.validation, parameters.epochs, parameters.filters) == ("split", 3, (16, 32))
    assert parameters.learning_rate == rate
    assert parameters.resolved() == parameters
    assert parameters.network_known


def test_values_are_checked_together_with_those_of_the_model() -> None:
    """Early stopping needs the validation split that the model was trained with."""
    given = TrainingParameters(from_model="01abc", early_stopping=3)

    assert given.started_from("01abc", "cnn", CNN, known=True).plan().early_stopping == 3
    with pytest.raises(ValidationError, match="needs validation=split"):
        given.started_from("01abc", "cnn", CNN | {"validation": "none"}, known=True).plan()


def test_a_network_that_no_plan_describes_stays_unknown() -> None:
    resolved = TrainingParameters(from_model="01abc").started_from("01abc", "custom", {}, known=True).resolved()

    assert {getattr(resolved, name) for name in NETWORK} == {None}
    assert (resolved.epochs, resolved.optimizer) == (Plan().epochs, Plan().optimizer)
    assert not resolved.network_known


def test_changes_of_a_training_from_a_model_leave_out_what_follows_from_that_model() -> None:
    given = TrainingParameters(from_model="01abc", freeze="convolutions", seed=4)
    resolved = given.started_from("01abc", "cnn", CNN, known=True).resolved()

    changes = resolved.changes()

    assert changes.keys().isdisjoint({"recipe", "exports", *NETWORK})
    assert TrainingParameters(**changes).started_from("01abc", "cnn", CNN, known=True).resolved() == resolved


def test_only_layers_of_a_model_can_be_frozen() -> None:
    with pytest.raises(ValidationError, match="only layers of a model to start from can be frozen"):
        TrainingParameters(recipe="cnn", freeze="convolutions")
