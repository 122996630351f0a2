"""The floor: `zipfile`, OpenCV's decoder and the net's matrix products in bare NumPy. Nothing is checked or written."""

import time
import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np

from benchmarks.classifying import Timing
from tenfold.trainer.input_spec import SIDE

BATCH = 512


def classify(archive: Path, model: Path, limit: int) -> Timing:
    weights = [layer.get_weights() for layer in keras.models.load_model(model).layers if layer.get_weights()]
    started = time.perf_counter()
    answers: list[int] = []
    with zipfile.ZipFile(archive) as images:
        members = images.infolist()[:limit]
        for start in range(0, len(members), BATCH):
            batch = [_decode(images.read(member)) for member in members[start : start + BATCH]]
            values = np.stack(batch).reshape(-1, SIDE * SIDE).astype(np.float32) / 255
            for matrix, bias in weights:
                values = np.maximum(values @ matrix + bias, 0)
            answers += values.argmax(axis=1).tolist()
    return Timing(len(answers), time.perf_counter() - started)


def _decode(data: bytes) -> cv2.typing.MatLike:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image if image.shape == (SIDE, SIDE) else cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
