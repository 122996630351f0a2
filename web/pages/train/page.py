"""The page that starts a training: recipe cards or the model to fine-tune, the form, and a summary of the training.

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

from tenfold.trainer.architecture.parameters import NETWORK, TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.input_spec import DIGIT
from tenfold.web.core.forms import Choice, FormField, as_text, form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.pages.charts.layers import draw_layers
from tenfold.web.pages.parts.model_choices import offer_models
from tenfold.web.pages.train.measured import measured
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.db.records import Model
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.models.ancestors import started_from, with_ancestor
from tenfold.worker.training.submission import submit_training

blueprint = Blueprint("train", __name__)

# A good first training: it takes a few seconds and has meaningful curves.
SUGGESTED_RECIPE = "dropout-128"

# The query parameter with which the script asks only for the messages and the summary.
CHECK = "check"

Errors = Sequence[dict[str, str]]


@blueprint.get("/train")
def form() -> ResponseReturnValue:
    values = {name: value for name, value in given_fields(request.args).items() if name in _NAMES}
    start = _fitting(values) if "from_model" in values else {"recipe": SUGGESTED_RECIPE}
    return _page(start | values, submitted=False, only_checked=CHECK in request.args)


@blueprint.post("/train")
def submit() -> ResponseReturnValue:
    values = given_fields(request.form)
    try:
        job = submit_training(services(), TrainingParameters.model_validate(values))
    except (ValidationError, InvalidSubmission) as error:
        return _page(values, field_errors(error), submitted=True), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


_NAMES = frozenset(TrainingParameters.model_fields)


def _fitting(values: Mapping[str, str]) -> dict[str, str]:
    """A data set with images as the model to fine-tune takes them, best its own, if there is one."""
    model = _model(values)
    if model is None:
        return {}
    usable = [entry for entry in list_datasets(services().volume) if entry.usable]
    fitting = [entry.name for entry in usable if (entry.input or DIGIT).shape == model.input.shape]
    return {"dataset": model.dataset if model.dataset in fitting else fitting[0]} if fitting else {}


def _page(values: Mapping[str, str], errors: Errors = (), *, submitted: bool, only_checked: bool = False) -> str:
    """
    Args:
        only_checked: omit the recipe cards, which depend on no input.
    """
    entries = {entry.name: entry for entry in list_datasets(services().volume) if entry.usable}
    model = _model(values)
    dataset = entries.get(values.get("dataset", "")) or entries["mnist"]
    if model:
        base = started_from(model, TrainingParameters(from_model=model.id), dataset).plan()
    else:
        base = RECIPES.get(values.get("recipe", ""), RECIPES[SUGGESTED_RECIPE]).plan
    parameters, wrong = _check(values, dataset)
    errors = errors or [*wrong, *_deleted_dataset(values, entries)]
    choices = {
        "recipe": [Choice(recipe.name, recipe.title) for recipe in RECIPES.values()],
        "dataset": [Choice(entry.name, _described(entry)) for entry in entries.values()],
    }
    fields = form_fields(TrainingParameters, choices=choices, values=values, errors=errors)
    hidden = {"recipe", "from_model", *(NETWORK if model else ("freeze",))}
    unchanged = "As the model" if model else "Recipe default"
    return render_template(
        "train/page.html",
        fields=[_with_usual_value(field, base, unchanged) for field in fields if field.name not in hidden],
        recipes=RECIPES,
        drawings={} if only_checked or model else {name: draw_layers(recipe.plan) for name, recipe in RECIPES.items()},
        chosen=values.get("recipe"),
        model=model,
        offer=offer_models(services()) if not (only_checked or model) else None,
        measured={} if only_checked or model else measured(services().database),
        outcome=_outcome(parameters, base, dataset) if parameters else None,
        errors=errors,
        submitted=submitted,
        changed=any(
            field.advanced and field.name not in hidden and (field.name in values or field.error) for field in fields
        ),
    )


def _model(values: Mapping[str, str]) -> Model | None:
    """The model to fine-tune, if there is one."""
    try:
        return services().models.serving(values["from_model"]) if "from_model" in values else None
    except InvalidSubmission:
        return None


def _check(values: Mapping[str, str], dataset: DatasetEntry) -> tuple[TrainingParameters | None, Errors]:
    """The training that would be submitted, or what is wrong with it."""
    try:
        parameters = with_ancestor(services(), TrainingParameters.model_validate(values), dataset)
        parameters.plan()
    except (ValidationError, InvalidSubmission) as error:
        return None, field_errors(error)
    return parameters, []


def _outcome(parameters: TrainingParameters, base: Plan, dataset: DatasetEntry) -> dict[str, Any]:
    """The resulting training, with its differences to the recipe's plan, or to that of a training from the model."""
    plan, classes, spec = parameters.plan(), len(dataset.class_names) or 10, dataset.input or DIGIT
    changes = [
        {"title": field.title, "to": as_text(getattr(plan, name)), "from": as_text(getattr(base, name))}
        for name, field in Plan.model_fields.items()
        if getattr(plan, name) != getattr(base, name)
    ]
    known = parameters.network_known
    return {
        "recipe": RECIPES[parameters.recipe],
        "plan": plan,
        "dataset": parameters.dataset,
        "freeze": parameters.freeze,
        "parameters": plan.parameter_count(classes, spec) if known else None,
        "drawing": draw_layers(plan, classes=classes, spec=spec) if known else None,
        "changes": changes,
    }


def _with_usual_value(field: FormField, plan: Plan, unchanged: str) -> FormField:
    """The field with the value of the plan as placeholder, and in the choice that leaves it unchanged."""
    if field.name not in Plan.model_fields:
        return field
    value = as_text(getattr(plan, field.name))
    choices = tuple(
        replace(choice, text=f"{unchanged}: {value.replace('_', ' ')}") if choice.value == "" else choice
        for choice in field.choices
    )
    return replace(field, choices=choices, placeholder=value)


def _deleted_dataset(values: Mapping[str, str], entries: Mapping[str, DatasetEntry]) -> Errors:
    """The error if the data set of a link to this form was deleted."""
    name = values.get("dataset")
    if name is None or name in entries:
        return []
    return [{"field": "dataset", "message": f"The data set {name!r} does not exist. Choose another one."}]


def _described(entry: DatasetEntry) -> str:
    size = f", {entry.input.size}" if entry.input and entry.input.shape != DIGIT.shape else ""
    return f"{entry.name}: {len(entry.class_names):,} classes, {entry.train:,} training images{size}"
