"""The page that starts a sweep."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.web.core.forms import Choice, form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.pages.parts.model_choices import offer_models
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep

blueprint = Blueprint("sweep", __name__)

EXAMPLES = {
    "learning_rate": "learning_rate=log:0.0001..0.01",
    "batch_size": "batch_size=32|64|128",
    "units": "units=64|128|128,64",
    "dropout": "dropout=0..0.5",
    "optimizer": "optimizer=adam|rmsprop|sgd",
    "filters": "filters=none|8,16|16,32",
    "augmentation": "augmentation=none|affine|elastic",
    "freeze": "freeze=none|all_but_head",
}

# What is suggested to search from a model, which defines the network.
FINE_TUNING_SPACE = f"{EXAMPLES['learning_rate']}\n{EXAMPLES['freeze']}"


@blueprint.get("/sweep")
def form() -> ResponseReturnValue:
    values = given_fields(request.args)
    return _page(({"space": FINE_TUNING_SPACE} if "from_model" in values else {}) | values)


@blueprint.post("/sweep")
def submit() -> ResponseReturnValue:
    values = given_fields(request.form)
    # The form always sends a recipe; a model to start from replaces it.
    given = {name: value for name, value in values.items() if name != "recipe" or "from_model" not in values}
    try:
        job = submit_sweep(services(), SweepParameters.model_validate(given))
    except (ValidationError, InvalidSubmission) as error:
        return _page(values, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    asked = [values["from_model"]] if "from_model" in values else []
    choices = {
        "from_model": [Choice("", "None: train by the recipe"), *offer_models(services(), chosen=asked).choices],
        "recipe": [Choice(recipe.name, f"{recipe.name}: {recipe.title}") for recipe in RECIPES.values()],
        "dataset": [Choice(entry.name, entry.title) for entry in list_datasets(services().volume) if entry.usable],
    }
    fields = form_fields(SweepParameters, choices=choices, values=values, errors=errors)
    changed = any(field.advanced and (field.name in values or field.error) for field in fields)
    return render_template("sweep.html", fields=fields, errors=errors, changed=changed, examples=EXAMPLES)
