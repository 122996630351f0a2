"""One number that mends how far a model's confidence can be believed.

After Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017: one temperature divides
the logarithms of all probabilities; which class is likeliest stays as it was.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float32]

# 1 / temperature is searched between these; beyond them a model knows nothing, or everything.
LEAST_SHARPNESS, MOST_SHARPNESS = 0.01, 100.0
HALVINGS = 60

# Keras clips probabilities at this before it takes logarithms.
EPSILON = 1e-7


def fit_temperature(probabilities: Probabilities, labels: npt.NDArray[Any]) -> float:
    """The temperature that makes these (n, classes) probabilities likeliest for these (n,) class indices.

    The log-likelihood is concave in 1 / temperature, so that halving the interval in which its slope changes sign
    finds the one best.
    """
    logs = np.log(np.clip(probabilities.astype(np.float64), EPSILON, 1))
    truth = logs[np.arange(len(labels)), labels].mean() if len(labels) else 0.0
    least, most = LEAST_SHARPNESS, MOST_SHARPNESS
    for _ in range(HALVINGS):
        sharpness = (least * most) ** 0.5
        expected = (_softmax(logs * sharpness) * logs).sum(axis=1).mean() if len(labels) else 0.0
        least, most = (sharpness, most) if truth > expected else (least, sharpness)
    return float(1 / (least * most) ** 0.5) if len(labels) else 1.0


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """(n, classes) probabilities, calibrated: float32, each row sums to 1."""
    logs = np.log(np.clip(probabilities, EPSILON, 1))
    return _softmax(logs / np.float32(temperature)).astype(np.float32)


def _softmax(logs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
