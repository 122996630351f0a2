"""Classifies one image: from its bytes to the response of the API."""

import base64
from typing import Any

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.samples import png
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.preparing import prepare, reads_color, steps_of
from tenfold.trainer.images.quality import qualities
from tenfold.worker.models.cache import LoadedEnsemble
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.predictions.parameters import PredictionParameters

# Pictures of steps are scaled down to this many pixels a side.
SHOWN_SIDE = 320


def predict(
    image: bytes, parameters: PredictionParameters, preparation: Preparation, loaded: LoadedEnsemble
) -> dict[str, Any]:
    """Classify an image, as `POST /predictions` answers.

    Args:
        preparation: from `preparation_for` with these parameters.

    Raises:
        ImageUnreadable: the bytes are not a readable image, or the model doesn't take one of this size.
    """
    spec = preparation.input
    read = decode(image, parameters.page - 1, color=reads_color(spec))
    seen = prepare(read, spec, preparation.polarity)
    pixels, class_names = seen.pixels[np.newaxis], loaded.ensemble.class_names
    answers = loaded.ensemble.classify(pixels)
    [probabilities] = answers.astype(np.float64).round(6).tolist()
    [quality] = qualities([seen], loaded.novelty.score(pixels, answers.argmax(axis=1)) if loaded.novelty else None)
    likeliest = sorted(zip(probabilities, class_names, strict=True), key=lambda pair: -pair[0])
    (confidence, prediction), (second, runner_up) = likeliest[:2]
    answer = {
        "prediction": prediction,
        "confidence": confidence,
        "runner_up": {"prediction": runner_up, "confidence": second},
        "probabilities": dict(zip(class_names, probabilities, strict=True)),
        "quality": quality,
        "preprocessing": spec.preprocessing,
        "normalization": seen.method,
        "polarity": seen.polarity,
        "model": parameters.model,
        "picture": data_url(seen.pixels),
    }
    if parameters.steps:
        seen_on_the_way = steps_of(read, spec, preparation.polarity)
        answer["steps"] = [{"name": name, "picture": data_url(_shown(picture))} for name, picture in seen_on_the_way]
    return answer


def data_url(picture: Bytes) -> str:
    """A picture, gray (h, w) or RGB (h, w, 3) uint8, as a PNG that a page or a JSON document can hold."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def _shown(picture: Bytes) -> Bytes:
    scale = SHOWN_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
