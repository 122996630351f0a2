"""Runs the epochs of a training: one engine for each Keras backend, all of them over Keras' own train step."""

import keras

from trainer.engines.engine import Engine
from trainer.idx import Bytes


def make_engine(model: keras.Model, images: Bytes, labels: Bytes, *, batch_size: int) -> Engine:
    """The engine of the current Keras backend for a compiled model with its optimizer built.

    Args:
        images: (n, 28, 28) uint8.
        labels: (n,) class indices.
        batch_size: the last batch of an epoch holds what is left, as in Keras.
    """
    kind: type[Engine]
    if keras.backend.backend() == "tensorflow":
        from trainer.engines.tensorflow import TensorFlowEngine as kind
    elif keras.backend.backend() == "jax":
        from trainer.engines.jax import JaxEngine as kind
    else:
        from trainer.engines.stepwise import StepwiseEngine as kind
    return kind(model, images, labels, batch_size=batch_size)


__all__ = ["Engine", "make_engine"]
