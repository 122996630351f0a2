"""Engines that run the epochs of a training, one for each Keras backend, all with Keras' own train step."""

import keras

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.training.augmentation import Floats
from tenfold.trainer.training.engines.engine import Engine


def make_engine(
    model: keras.Model,
    images: Bytes,
    labels: Labels,
    *,
    batch_size: int,
    spec: InputSpec = DIGIT,
    weights: Floats | None = None,
) -> Engine:
    """The engine of the current Keras backend for a compiled model with its optimizer built.

    Args:
        images: (n, *spec.shape) uint8.
        labels: (n,) class indices.
        batch_size: the last batch of an epoch may be smaller, as in Keras.
        spec: the model's input.
        weights: (n,) weights of the images in the loss, as Keras' `sample_weight`; None costs nothing.
    """
    kind: type[Engine]
    if keras.backend.backend() == "tensorflow":
        from tenfold.trainer.training.engines.tensorflow import TensorFlowEngine as kind
    elif keras.backend.backend() == "jax":
        from tenfold.trainer.training.engines.jax import JaxEngine as kind
    else:
        from tenfold.trainer.training.engines.stepwise import StepwiseEngine as kind
    return kind(model, images, labels, batch_size=batch_size, spec=spec, weights=weights)


__all__ = ["Engine", "make_engine"]
