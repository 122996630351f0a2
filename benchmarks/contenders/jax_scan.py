"""The recipe's Keras model on the JAX backend, an epoch as one `lax.scan`. Needs KERAS_BACKEND=jax."""

import time

import jax
import jax.numpy as jnp
import keras
import numpy as np

from benchmarks.contenders import Result
from trainer.datasets import Dataset
from trainer.networks import build_model
from trainer.recipes import CLASSES, get_recipe


def train(recipe: str, epochs: int, seed: int, dataset: Dataset) -> Result:
    spec = get_recipe(recipe)
    model = build_model(spec, seed=seed)
    loss_of = keras.losses.get(spec.loss)
    images, labels = jnp.asarray(dataset.train_images), jnp.asarray(dataset.train_labels)
    test_images = jnp.asarray(dataset.test_images, jnp.float32) / 255

    def loss_and_state(weights, others, x, y):  # type: ignore[no-untyped-def]
        answers, others = model.stateless_call(weights, others, x, training=True)
        return jnp.mean(loss_of(y, answers)), others

    gradient = jax.value_and_grad(loss_and_state, has_aux=True)

    def step(state, batch):  # type: ignore[no-untyped-def]
        weights, others, optimizer = state
        x = images[batch].astype(jnp.float32) / 255
        y = jax.nn.one_hot(labels[batch], CLASSES) if spec.loss == "categorical_crossentropy" else labels[batch]
        (loss, others), gradients = gradient(weights, others, x, y)
        weights, optimizer = model.optimizer.stateless_apply(optimizer, gradients, weights)
        return (weights, others, optimizer), loss

    whole = len(images) // spec.batch_size * spec.batch_size

    @jax.jit
    def epoch(state, order):  # type: ignore[no-untyped-def]
        state, losses = jax.lax.scan(step, state, order[:whole].reshape(-1, spec.batch_size))
        if whole < len(order):
            state, _ = step(state, order[whole:])
        return state, losses.mean()

    @jax.jit
    def predict(weights, others):  # type: ignore[no-untyped-def]
        return model.stateless_call(weights, others, test_images, training=False)[0].argmax(axis=1)

    def values(variables: list[keras.Variable]) -> list[jax.Array]:
        return [variable.value for variable in variables]

    state = (
        values(model.trainable_variables),
        values(model.non_trainable_variables),
        values(model.optimizer.variables),
    )
    seconds = []
    for number in range(epochs):
        started = time.perf_counter()
        order = np.random.default_rng([seed, number]).permutation(len(images)).astype(np.int32)
        state, loss = epoch(state, order)
        jax.block_until_ready(loss)
        if spec.validation == "test":
            predict(state[0], state[1]).block_until_ready()
        seconds.append(time.perf_counter() - started)
    right = np.asarray(predict(state[0], state[1])) == dataset.test_labels
    return Result(seconds, test_accuracy=float(right.mean()))
