"""The page that starts a training: recipe cards, the form, and what the two amount to.

`GET` takes the form's fields too, and answers with the same page filled in and checked. `static/train.js` asks for that
while a person types, and takes the messages and the outcome out of it: what decides is the one declaration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from pydantic import ValidationError

from trainer.catalogue import DatasetEntry
from trainer.parameters import TrainingParameters
from trainer.plans import Plan
from trainer.recipes import RECIPES
from web.forms import Choice, FormField, as_text, form_fields, given_fields
from web.layer_drawing import draw_layers
from web.measured import measured
from web.pages import Page, pages
from web.problems import field_errors
from web.services import services
from worker import submissions
from worker.datasets import list_datasets
from worker.errors import InvalidSubmission

# A good first training: a few seconds, and curves worth looking at.
SUGGESTED_RECIPE = "dropout-128"

# Asked for by the script, which only takes the messages and the outcome.
CHECK = "check"

UNCHANGED = "as the recipe has it"

Errors = Sequence[dict[str, str]]


@pages.get("/train")
def train_form() -> Page:
    values = {name: value for name, value in given_fields(request.args).items() if name in _NAMES}
    return _page({"recipe": SUGGESTED_RECIPE} | values, submitted=False, only_checked=CHECK in request.args)


@pages.post("/train")
def train() -> Page:
    values = given_fields(request.form)
    try:
        job = submissions.submit_training(services(), TrainingParameters.model_validate(values))
    except (ValidationError, InvalidSubmission) as error:
        return _page(values, field_errors(error), submitted=True), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("pages.job", job_id=job.id), HTTPStatus.SEE_OTHER)


_NAMES = frozenset(TrainingParameters.model_fields)


def _page(values: Mapping[str, str], errors: Errors = (), *, submitted: bool, only_checked: bool = False) -> str:
    """
    Args:
        only_checked: leave the recipe cards out, which no input changes.
    """
    entries = [entry for entry in list_datasets(services().volume) if entry.usable]
    parameters, wrong = _check(values)
    errors = errors or [*wrong, *_gone(values, entries)]
    base = RECIPES.get(values.get("recipe", ""), RECIPES[SUGGESTED_RECIPE]).plan
    choices = {
        "recipe": [Choice(recipe.name, recipe.title) for recipe in RECIPES.values()],
        "dataset": [Choice(entry.name, _described(entry)) for entry in entries],
    }
    fields = form_fields(TrainingParameters, choices=choices, values=values, errors=errors)
    return render_template(
        "train.html",
        fields=[_with_recipes_value(field, base) for field in fields if field.name != "recipe"],
        cards=[]
        if only_checked
        else [{"recipe": each, "drawing": draw_layers(each.plan)} for each in RECIPES.values()],
        chosen=values.get("recipe"),
        measured={} if only_checked else measured(services().database),
        outcome=_outcome(parameters, entries) if parameters else None,
        errors=errors,
        submitted=submitted,
        changed=any(field.advanced and (field.value or field.error) for field in fields),
    )


def _cards() -> list[dict[str, Any]]:
    return [{"recipe": recipe, "drawing": draw_layers(recipe.plan)} for recipe in RECIPES.values()]


def _check(values: Mapping[str, str]) -> tuple[TrainingParameters | None, Errors]:
    try:
        return TrainingParameters.model_validate(values), []
    except ValidationError as error:
        return None, field_errors(error)


def _outcome(parameters: TrainingParameters, entries: Sequence[DatasetEntry]) -> dict[str, Any]:
    """What would be trained, with what differs from the recipe."""
    plan, recipe = parameters.plan(), RECIPES[parameters.recipe]
    classes = next((len(entry.class_names) for entry in entries if entry.name == parameters.dataset), 10)
    changes = [
        {"title": Plan.model_fields[name].title, "to": as_text(value), "from": as_text(getattr(recipe.plan, name))}
        for name, value in parameters.changes().items()
        if name in Plan.model_fields
    ]
    return {
        "recipe": recipe,
        "plan": plan,
        "dataset": parameters.dataset,
        "parameters": plan.parameter_count(classes),
        "drawing": draw_layers(plan, classes=classes),
        "changes": changes,
    }


def _with_recipes_value(field: FormField, plan: Plan) -> FormField:
    """What a field left empty stands for, shown where the person would write or choose."""
    if field.name not in Plan.model_fields:
        return field
    value = as_text(getattr(plan, field.name))
    choices = tuple(
        replace(choice, text=f"{UNCHANGED}: {value.replace('_', ' ')}") if choice.value == "" else choice
        for choice in field.choices
    )
    return replace(field, choices=choices, placeholder=value)


def _gone(values: Mapping[str, str], entries: Sequence[DatasetEntry]) -> Errors:
    """A link to this form may name a data set that has been deleted since."""
    name = values.get("dataset")
    if name is None or name in [entry.name for entry in entries]:
        return []
    return [{"field": "dataset", "message": f"There is no data set {name!r} any more; choose another."}]


def _described(entry: DatasetEntry) -> str:
    return f"{entry.name}: {len(entry.class_names)} classes, {entry.train:,} training images"
