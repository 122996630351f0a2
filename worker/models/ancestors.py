"""Finds the model that a training starts from, when the training is submitted."""

from typing import TypeVar

from tenfold.trainer.architecture.parameters import NETWORK, TrainingParameters
from tenfold.trainer.architecture.recipes import CUSTOM, RECIPES
from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.worker.db.records import Model
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.services import Services

P = TypeVar("P", bound=TrainingParameters)


def with_ancestor(services: Services, parameters: P, dataset: DatasetEntry) -> P:
    """The parameters with the id of the model to start from, and with its values for the fields that are not given.

    Raises:
        InvalidSubmission: no training with these parameters can start from it.
        ValidationError: the values do not fit together.
    """
    if parameters.from_model is None:
        return parameters
    model = _find(services, parameters.from_model)
    _check_recipe(parameters, model)
    _check_network(parameters, model)
    _check_freeze(parameters, model)
    _check_input(model, dataset)
    return started_from(model, parameters, dataset)


def started_from(model: Model, parameters: P, dataset: DatasetEntry) -> P:
    """The parameters with this model's id, and its values for the fields that are not given."""
    known = set(dataset.class_names) <= set(model.class_names)
    return parameters.started_from(model.id, _recipe(model), model.parameters, known=known)


def _recipe(model: Model) -> str:
    """The model's recipe; `custom` for a network that was imported."""
    return model.recipe if model.recipe in RECIPES else CUSTOM


def _find(services: Services, name: str) -> Model:
    try:
        model = services.models.serving(name)
    except InvalidSubmission as error:
        raise InvalidSubmission("from_model", str(error)) from error
    if "model.keras" not in services.volume.model_files(model.id):
        raise InvalidSubmission(
            "from_model",
            f"The model {model.id} has no Keras network (model.keras), so no training can start from it. Choose a "
            "model that Tenfold trained, or import its Keras file.",
        )
    return model


def _check_recipe(parameters: TrainingParameters, model: Model) -> None:
    if "recipe" in parameters.model_fields_set and parameters.recipe != _recipe(model):
        raise InvalidSubmission(
            "recipe", f"The network is that of the model {model.id} ({model.recipe}). Leave out the recipe."
        )


def _check_network(parameters: TrainingParameters, model: Model) -> None:
    for field in NETWORK:
        given, known = getattr(parameters, field), model.parameters.get(field)
        if given is not None and given != (tuple(known) if isinstance(known, list) else known):
            raise InvalidSubmission(
                field,
                f"The network is that of the model {model.id}, so {field} cannot be changed. Leave it out, or train "
                "from a recipe.",
            )


def _check_freeze(parameters: TrainingParameters, model: Model) -> None:
    network = [model.parameters.get(field) for field in ("filters", "units")]
    if None in network:
        return  # not built from a plan: the training will see
    filters, units = network
    if parameters.freeze == "convolutions" and not filters:
        raise InvalidSubmission(
            "freeze", f"The model {model.id} has no convolutions to freeze; use none or all_but_head."
        )
    if parameters.freeze == "all_but_head" and not (filters or units):
        raise InvalidSubmission("freeze", f"The model {model.id} has only an output layer; use none.")


def _check_input(model: Model, dataset: DatasetEntry) -> None:
    if dataset.input is not None and dataset.input.shape != model.input.shape:
        raise InvalidSubmission(
            "dataset",
            f"The model {model.id} takes {model.input.size} images, and those of {dataset.name} are "
            f"{dataset.input.size}. Import the data set with the model's size, or train from a recipe.",
        )
