"""The model that a training starts from, and what became of what that model knew."""

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import CannotFineTune, TrainerError
from tenfold.trainer.evaluation.forgetting import Forgetting, knows_all_classes, measure_forgetting
from tenfold.trainer.training.finetuning import Ancestor
from tenfold.trainer.training.loop import Trained
from tenfold.worker.datasets.loading import load
from tenfold.worker.errors import UnknownModel
from tenfold.worker.services import Services


def load_ancestor(services: Services, model_id: str) -> Ancestor:
    """The model to start from.

    Raises:
        CannotFineTune: it has been deleted, or has no Keras network.
    """
    try:
        model = services.models.get(model_id)
    except UnknownModel as error:
        raise CannotFineTune(
            f"The model {model_id}, which this training starts from, has been deleted. Submit a new training that "
            "starts from another model."
        ) from error
    directory = services.volume.storage.fetch(services.volume.model(model_id))
    return Ancestor.load(directory, model.metrics | {"recipe": model.recipe, "dataset": model.dataset})


def forgetting(services: Services, trained: Trained, dataset: Dataset) -> tuple[Forgetting | None, list[str]]:
    """The accuracy on the ancestor's test images before and after, if both know the classes, and sentences on it."""
    if trained.ancestor is None or not knows_all_classes(trained, dataset.class_names):
        return None, []
    if "origin" in trained.ancestor.metrics:
        return None, ["What it forgot could not be measured: the model was imported, so its data is unknown."]
    name = trained.ancestor.metrics["dataset"]
    try:
        original = dataset if name == dataset.name else load(services.volume, name)
    except TrainerError as error:
        return None, [f"What it forgot could not be measured, for want of the data set {name}: {error}"]
    if not original.is_data_of(trained.ancestor.metrics):
        return None, [f"What it forgot could not be measured: the data set {name} has changed since."]
    found = measure_forgetting(trained, dataset.class_names, original)
    return found, [found.note]
