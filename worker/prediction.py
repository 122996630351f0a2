"""Reads one image: from its bytes to the answer that the API gives."""

import base64
from typing import Any

import cv2
import numpy as np

from trainer.decoding import decode
from trainer.idx import Bytes
from trainer.images import normalise, steps
from trainer.quality import qualities
from trainer.samples import png
from worker.parameters import PredictionParameters
from worker.preparing import Preparation
from worker.warm import Panel

# The pictures of the steps are for looking at: a photo's are made smaller than this many pixels a side.
SHOWN_SIDE = 320


def predict(image: bytes, parameters: PredictionParameters, preparation: Preparation, panel: Panel) -> dict[str, Any]:
    """What a model takes an image for, as `POST /predictions` answers it.

    Args:
        preparation: what `parameters` ask for with this model.

    Raises:
        ImageUnreadable: the bytes are no image that can be read.
    """
    grey = decode(image, parameters.page - 1)
    seen = normalise(grey, mode=preparation.input.mode, polarity=preparation.polarity)
    pixels, class_names = seen.pixels[np.newaxis], panel.ensemble.class_names
    answers = panel.ensemble.classify(pixels)
    [probabilities] = answers.astype(np.float64).round(6).tolist()
    [quality] = qualities([seen], panel.novelty.score(pixels, answers.argmax(axis=1)) if panel.novelty else None)
    likeliest = sorted(zip(probabilities, class_names, strict=True), key=lambda pair: -pair[0])
    (confidence, label), (second, runner_up) = likeliest[:2]
    answer = {
        "label": label,
        "confidence": confidence,
        "runner_up": {"label": runner_up, "confidence": second},
        "probabilities": dict(zip(class_names, probabilities, strict=True)),
        "quality": quality,
        "preprocessing": preparation.input.preprocessing,
        "normalisation": seen.method,
        "polarity": seen.polarity,
        "model": parameters.model,
        "picture": data_url(seen.pixels),
    }
    if parameters.steps:
        seen_on_the_way = steps(grey, preparation.input.mode, preparation.polarity)
        answer["steps"] = [{"name": name, "picture": data_url(_shown(picture))} for name, picture in seen_on_the_way]
    return answer


def data_url(picture: Bytes) -> str:
    """A grey picture (h, w) uint8 as a PNG that a page or a JSON document can hold."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def _shown(picture: Bytes) -> Bytes:
    scale = SHOWN_SIDE / max(picture.shape)
    if scale >= 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
