"""How the images of a job are prepared: as its models' training images were, unless a person says otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tenfold.trainer.input_spec import InputSpec, of_mode
from tenfold.worker.db.records import Job, Model
from tenfold.worker.errors import InvalidSubmission

Mode = Literal["model", "auto", "none"]
Polarity = Literal["auto", "dark-on-light", "light-on-dark"]


@dataclass(frozen=True)
class Preparation:
    """What is done to a picture; `polarity` counts where `input` is by the digit normalizer."""

    input: InputSpec
    polarity: Polarity = "auto"


def preparation_for(normalize: Mode, polarity: Polarity, models: Sequence[Model]) -> Preparation:
    """What a classification or a prediction asks for; `normalize="model"` is what the models' training did.

    Raises:
        InvalidSubmission: it's left to several models, which were trained on images that were prepared differently.
    """
    if normalize != "model":
        reason = f"Asked for by normalize={normalize}."
        return Preparation(of_mode(normalize, reason), polarity)
    first, *others = (model.input for model in models)
    if any(other != first for other in others):
        ways = ", ".join(f"{model.id} {model.input.preprocessing}" for model in models)
        raise InvalidSubmission(
            "model",
            f"Models that answer together must take the same input; these were trained with different preprocessing: "
            f"{ways}. Choose models with the same, or set normalize to auto or none for all of them.",
        )
    return Preparation(first, polarity)


def prepared_as(job: Job) -> InputSpec:
    """How the images of a classification that succeeded were prepared; those of earlier versions knew two ways."""
    recorded = (job.summary or {}).get("input")
    return InputSpec.read(recorded) if recorded else of_mode(job.parameters.get("normalize", "auto"), "")


def preparation_notes(preparation: Preparation, models: Sequence[Model]) -> list[str]:
    """What a person should know of it: whatever isn't the digit normalizer, as all models were trained with."""
    spec = preparation.input
    notes = []
    if spec.preprocessing == "resize" or any(model.input != spec for model in models):
        notes.append(f"Preprocessing: {spec.preprocessing}. {spec.description} {spec.reason}".rstrip())
    for model in models:
        if model.input != spec:
            notes.append(
                f"Model {model.id} was trained with preprocessing {model.input.preprocessing}: its answers here may be "
                "worse than on its test images. Leave out normalize to prepare images as for its training."
            )
        elif not model.input_recorded:
            notes.append(f"Model {model.id}: preprocessing {spec.preprocessing} was assumed. {model.input.reason}")
    if spec.preprocessing != "digit" and preparation.polarity != "auto":
        notes.append(f"polarity={preparation.polarity} was ignored: it's for the digit normalizer only.")
    return notes
