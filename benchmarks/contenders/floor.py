"""The floor: an epoch's matrix products in bare NumPy, forward and backward, and nothing else. It learns nothing."""

import time
from itertools import pairwise

import numpy as np

from benchmarks.contenders import Result
from tenfold.trainer.architecture.recipes import get_recipe
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.input_spec import SIDE


def train(recipe: str, epochs: int, seed: int, dataset: Dataset) -> Result:
    spec = get_recipe(recipe).plan
    random = np.random.default_rng(seed)
    widths = [SIDE * SIDE, *spec.units, len(dataset.class_names)]
    weights = [random.normal(0, 0.01, shape).astype(np.float32) for shape in pairwise(widths)]
    images = dataset.train_images.reshape(-1, SIDE * SIDE).astype(np.float32) / 255
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        for start in range(0, len(images), spec.batch_size):
            activations = [images[start : start + spec.batch_size]]
            for weight in weights:
                activations.append(activations[-1] @ weight)
            gradient = activations[-1]
            for depth in range(len(weights) - 1, -1, -1):
                activations[depth].T @ gradient  # the weights' gradient
                if depth:
                    gradient = gradient @ weights[depth].T
        seconds.append(time.perf_counter() - started)
    return Result(seconds)
