"""The plain script: an image at a time, read with Pillow, through `model.predict`."""

import time
import zipfile
from pathlib import Path

import keras
import numpy as np

from benchmarks.classifying import Timing
from benchmarks.classifying.pillow import read_digit


def classify(archive: Path, model: Path, limit: int) -> Timing:
    net = keras.models.load_model(model)
    net.predict(np.zeros((1, 28, 28), np.float32), verbose=0)
    started = time.perf_counter()
    with zipfile.ZipFile(archive) as images:
        names = images.namelist()[:limit]
        answers = []
        for name in names:
            scores = net.predict(read_digit(images.read(name))[np.newaxis], verbose=0)
            answers.append((name, int(scores.argmax())))
    return Timing(len(answers), time.perf_counter() - started)
