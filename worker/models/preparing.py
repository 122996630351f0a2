"""How the images of a job are prepared: as its models' training images were, unless a person says otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tenfold.trainer.input_spec import DIGIT, InputSpec, Preprocessing
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
        InvalidSubmission: the models take images of different sizes or colors; it's left to several models, which were
            trained on images that were prepared differently; or the digit normalizer is asked for a color model.
    """
    first, *others = (model.input for model in models)
    ways = ", ".join(f"{model.id} {model.input.preprocessing}, {model.input.size}" for model in models)
    if any(other.shape != first.shape for other in others):
        raise InvalidSubmission(
            "model", f"Models that answer together must take images of the same size and color; these take: {ways}."
        )
    if normalize != "model":
        if normalize == "auto" and first.channels == 3:
            raise InvalidSubmission(
                "normalize",
                f"Model {models[0].id} takes color images, and the digit normalizer (auto) makes gray ones. Leave out "
                "normalize, or set it to none.",
            )
        reason = f"Asked for by normalize={normalize}."
        return Preparation(replace(first, preprocessing=_PREPROCESSING[normalize], reason=reason), polarity)
    if any(other.preprocessing != first.preprocessing for other in others):
        raise InvalidSubmission(
            "model",
            f"Models that answer together must take the same input; these were trained with different preprocessing: "
            f"{ways}. Choose models with the same, or set normalize to auto or none for all of them.",
        )
    return Preparation(first, polarity)


_PREPROCESSING: dict[str, Preprocessing] = {"auto": "digit", "none": "resize"}


def prepared_as(job: Job) -> InputSpec:
    """How the images of a classification that succeeded were prepared; those of earlier versions knew two ways."""
    recorded = (job.summary or {}).get("input")
    if recorded:
        return InputSpec.read(recorded)
    return replace(DIGIT, preprocessing=_PREPROCESSING[job.parameters.get("normalize", "auto")])


def preparation_notes(preparation: Preparation, models: Sequence[Model]) -> list[str]:
    """What a person should know of it: whatever isn't the digit normalizer, as all models were trained with."""
    spec = preparation.input
    notes = []
    if spec.preprocessing != "digit" or any(model.input.images != spec.images for model in models):
        notes.append(f"Preprocessing: {spec.preprocessing}. {spec.description} {spec.reason}".rstrip())
    for model in models:
        if model.input.images != spec.images:
            notes.append(
                f"Model {model.id} was trained with preprocessing {model.input.preprocessing}: its answers here may be "
                "worse than on its test images. Leave out normalize to prepare images as for its training."
            )
        elif not model.input_recorded:
            notes.append(f"Model {model.id}: preprocessing {spec.preprocessing} was assumed. {model.input.reason}")
    if spec.preprocessing != "digit" and preparation.polarity != "auto":
        notes.append(f"polarity={preparation.polarity} was ignored: it's for the digit normalizer only.")
    return notes
