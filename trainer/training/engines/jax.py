"""Training on JAX: many of Keras' own train steps in one compiled scan, with the images kept on the device."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.training.augmentation import Floats, distort
from tenfold.trainer.training.engines.engine import Distortions, Engine


class JaxEngine(Engine):
    def __init__(
        self,
        model: keras.Model,
        images: Bytes,
        labels: Labels,
        *,
        batch_size: int,
        spec: InputSpec = DIGIT,
        weights: Floats | None = None,
    ) -> None:
        super().__init__(model, images, labels, batch_size=batch_size, spec=spec, weights=weights)
        self._images, self._labels = jnp.asarray(spec.oriented(images)), jnp.asarray(labels)
        self._weights = None if weights is None else jnp.asarray(weights)
        _make_metrics(model, self.classes, self.one_hot)
        self._run = jax.jit(self._scan)

    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        self.model.reset_metrics()
        variables = _variables(self.model)
        state = [[variable.value for variable in group] for group in variables]
        parts = (order, *distortions) if distortions else (order,)
        for start, stop in self.calls():
            batches = list(self.batches(parts, start, stop))
            state = self._run(state, self._images, self._labels, self._weights, batches)
            for group, values in zip(variables, state, strict=True):
                for variable, value in zip(group, values, strict=True):
                    variable.assign(value)
            yield stop

    def metrics(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def _scan(self, state: Any, images: Any, labels: Any, weights: Any, batches: Any) -> Any:
        state, _ = jax.lax.scan(partial(self._step, images, labels, weights), state, batches)
        return state

    def _step(self, images: Any, labels: Any, weights: Any, state: Any, batch: Any) -> Any:
        order, *distortions = batch
        x = self.spec.scaled(images[order].astype(jnp.float32))
        if distortions:
            x = distort(x, *distortions, outside=self.paper)
        y = jax.nn.one_hot(labels[order], self.classes) if self.one_hot else labels[order]
        _, state = self.model.train_step(state, (x, y) if weights is None else (x, y, weights[order]))
        return [list(group) for group in state], None


def _variables(model: keras.Model) -> list[list[keras.Variable]]:
    """The variables that Keras' train step on JAX takes and returns, in its order."""
    return [
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    ]


def _make_metrics(model: keras.Model, classes: int, one_hot: bool) -> None:
    """Have Keras create the metrics' variables, which it does only when it first sees data."""
    x = np.zeros((1, *model.input_shape[1:]), np.float32)
    model.test_on_batch(x, np.zeros((1, classes) if one_hot else (1,), np.float32))
    model.reset_metrics()
