"""Reads one image: from its bytes to the answer that the API gives."""

import base64
import logging
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from trainer.decoding import decode
from trainer.idx import Bytes
from trainer.images import normalise, steps
from trainer.inference import normalised
from trainer.samples import png
from trainer.temperature import with_temperature
from worker.parameters import PredictionParameters
from worker.services import Services

log = logging.getLogger(__name__)

# The pictures of the steps are for looking at: a photo's are made smaller than this many pixels a side.
SHOWN_SIDE = 320


@dataclass(frozen=True)
class SingleClassifier:
    """A model that answers for one image at a time, warm from the first."""

    model: keras.Model
    temperature: float
    class_names: tuple[str, ...]

    def classify(self, pixels: Bytes) -> npt.NDArray[np.float32]:
        """The calibrated probability of each class for one image (28, 28) uint8, light ink on dark."""
        scores = self.model.predict_on_batch(pixels[np.newaxis].astype(np.float32) / 255)
        [probabilities] = with_temperature(normalised(np.asarray(scores, np.float32)), self.temperature)
        return np.asarray(probabilities, np.float32)


def load_classifier(services: Services, model_id: str) -> SingleClassifier:
    """A model of the registry, ready to answer.

    Raises:
        UnknownModel: there is none with this id.
        OSError, ValueError: its file is missing or damaged.
    """
    log.info("loading model %s", model_id)
    record = services.models.get(model_id)
    model = keras.models.load_model(services.volume.model(model_id) / "model.keras", compile=False)
    temperature = record.metrics.get("calibration", {}).get("temperature", 1.0)
    classifier = SingleClassifier(model, temperature, record.class_names)
    classifier.classify(np.zeros((28, 28), np.uint8))  # compiles it
    return classifier


def predict(image: bytes, parameters: PredictionParameters, classifier: SingleClassifier) -> dict[str, Any]:
    """What a model takes an image for, as `POST /predictions` answers it.

    Raises:
        ImageUnreadable: the bytes are no image that can be read.
    """
    grey = decode(image)
    seen = normalise(grey, mode=parameters.normalise, polarity=parameters.polarity)
    probabilities = classifier.classify(seen.pixels).astype(np.float64).round(6).tolist()
    likeliest = sorted(zip(probabilities, classifier.class_names, strict=True), key=lambda pair: -pair[0])
    (confidence, label), (second, runner_up) = likeliest[:2]
    answer = {
        "label": label,
        "confidence": confidence,
        "runner_up": {"label": runner_up, "confidence": second},
        "probabilities": dict(zip(classifier.class_names, probabilities, strict=True)),
        "normalisation": seen.method,
        "polarity": seen.polarity,
        "model": parameters.model,
        "picture": data_url(seen.pixels),
    }
    if parameters.steps:
        answer["steps"] = [{"name": name, "picture": data_url(_shown(picture))} for name, picture in steps(grey)]
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
