"""The careful script: images read with Pillow, in batches of 32 through `model.predict`."""

import time
import zipfile
from pathlib import Path

import keras
import numpy as np

from benchmarks.classifying import Timing
from benchmarks.classifying.pillow import read_digit

BATCH = 32


def classify(archive: Path, model: Path, limit: int) -> Timing:
    net = keras.models.load_model(model)
    net.predict(np.zeros((BATCH, 28, 28), np.float32), verbose=0)
    started = time.perf_counter()
    with zipfile.ZipFile(archive) as images:
        names = images.namelist()[:limit]
        answers: list[tuple[str, int]] = []
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            scores = net.predict(np.stack([read_digit(images.read(name)) for name in batch]), verbose=0)
            answers += zip(batch, scores.argmax(axis=1).tolist(), strict=True)
    return Timing(len(answers), time.perf_counter() - started)
