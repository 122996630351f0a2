"""The page that starts a training: recipe cards, the form, and a summary of the training.

`GET` also takes the fields of the form, and returns the page filled in and checked. `static/train.js` fetches it while
the user types, and takes the messages and the summary out of it, so that `TrainingParameters` alone does all checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.input_spec import DIGIT
from tenfold.web.core.forms import Choice, FormField, as_text, form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.pages.charts.layers import draw_layers
from tenfold.web.pages.train.measured import measured
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.training.submission import submit_training

blueprint = Blueprint("train", __name__)

# A good first training: it takes a few seconds and has meaningful curves.
SUGGESTED_RECIPE = "dropout-128"

# The query parameter with which the script asks only for the messages and the summary.
CHECK = "check"

UNCHANGED = "Recipe default"

Errors = Sequence[dict[str, str]]


@blueprint.get("/train")
def form() -> ResponseReturnValue:
    values = {name: value for name, value in given_fields(request.args).items() if name in _NAMES}
    return _page({"recipe": SUGGESTED_RECIPE} | values, submitted=False, only_checked=CHECK in request.args)


@blueprint.post("/train")
def submit() -> ResponseReturnValue:
    values = given_fields(request.form)
    try:
        job = submit_training(services(), TrainingParameters.model_validate(values))
    except (ValidationError, InvalidSubmission) as error:
        return _page(values, field_errors(error), submitted=True), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


_NAMES = frozenset(TrainingParameters.model_fields)


def _page(values: Mapping[str, str], errors: Errors = (), *, submitted: bool, only_checked: bool = False) -> str:
    """
    Args:
        only_checked: omit the recipe cards, which depend on no input.
    """
    entries = [entry for entry in list_datasets(services().volume) if entry.usable]
    parameters, wrong = _check(values)
    errors = errors or [*wrong, *_deleted_dataset(values, entries)]
    base = RECIPES.get(values.get("recipe", ""), RECIPES[SUGGESTED_RECIPE]).plan
    choices = {
        "recipe": [Choice(recipe.name, recipe.title) for recipe in RECIPES.values()],
        "dataset": [Choice(entry.name, _described(entry)) for entry in entries],
    }
    fields = form_fields(TrainingParameters, choices=choices, values=values, errors=errors)
    return render_template(
        "train/page.html",
        fields=[_with_recipes_value(field, base) for field in fields if field.name != "recipe"],
        recipes=RECIPES,
        drawings={} if only_checked else {name: draw_layers(recipe.plan) for name, recipe in RECIPES.items()},
        chosen=values.get("recipe"),
        measured={} if only_checked else measured(services().database),
        outcome=_outcome(parameters, entries) if parameters else None,
        errors=errors,
        submitted=submitted,
        changed=any(field.advanced and (field.value or field.error) for field in fields),
    )


def _check(values: Mapping[str, str]) -> tuple[TrainingParameters | None, Errors]:
    try:
        return TrainingParameters.model_validate(values), []
    except ValidationError as error:
        return None, field_errors(error)


def _outcome(parameters: TrainingParameters, entries: Sequence[DatasetEntry]) -> dict[str, Any]:
    """The resulting training, with its differences to the recipe."""
    plan, recipe = parameters.plan(), RECIPES[parameters.recipe]
    dataset = next((entry for entry in entries if entry.name == parameters.dataset), None)
    classes, spec = (len(dataset.class_names), dataset.input or DIGIT) if dataset else (10, DIGIT)
    changes = [
        {"title": Plan.model_fields[name].title, "to": as_text(value), "from": as_text(getattr(recipe.plan, name))}
        for name, value in parameters.changes().items()
        if name in Plan.model_fields
    ]
    return {
        "recipe": recipe,
        "plan": plan,
        "dataset": parameters.dataset,
        "parameters": plan.parameter_count(classes, spec),
        "drawing": draw_layers(plan, classes=classes, spec=spec),
        "changes": changes,
    }


def _with_recipes_value(field: FormField, plan: Plan) -> FormField:
    """The field with the value of the recipe as placeholder, and in the choice that leaves it unchanged."""
    if field.name not in Plan.model_fields:
        return field
    value = as_text(getattr(plan, field.name))
    choices = tuple(
        replace(choice, text=f"{UNCHANGED}: {value.replace('_', ' ')}") if choice.value == "" else choice
        for choice in field.choices
    )
    return replace(field, choices=choices, placeholder=value)


def _deleted_dataset(values: Mapping[str, str], entries: Sequence[DatasetEntry]) -> Errors:
    """The error if the data set of a link to this form was deleted."""
    name = values.get("dataset")
    if name is None or name in [entry.name for entry in entries]:
        return []
    return [{"field": "dataset", "message": f"The data set {name!r} does not exist. Choose another one."}]


def _described(entry: DatasetEntry) -> str:
    size = f", {entry.input.size}" if entry.input and entry.input.shape != DIGIT.shape else ""
    return f"{entry.name}: {len(entry.class_names):,} classes, {entry.train:,} training images{size}"
