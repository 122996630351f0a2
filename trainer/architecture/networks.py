"""Builds Keras models from plans."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.input_spec import DIGIT, InputSpec

# An exponential schedule ends at this fraction of the learning rate.
EXPONENTIAL_END = 0.01

SGD_MOMENTUM = 0.9


def build_model(
    plan: Plan, *, classes: int, seed: int, steps: int, name: str = "tenfold", spec: InputSpec = DIGIT
) -> keras.Model:
    """Build and compile the plan's network, with Keras' default initializers and its optimizer built.

    Input (n, *spec.network_shape) float, scaled as `spec` says; output (n, classes). Sets the seeds of Python,
    NumPy and Keras.

    Args:
        classes: outputs, at least 2.
        steps: batches of the whole training, over which a schedule lowers the learning rate.
        name: of the model; letters, digits, `-` and `_`.
        spec: the images'.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(_layers(plan, classes, spec), name=name.replace("-", "_"))
    compile_model(model, plan, steps)
    return model


def compile_model(model: keras.Model, plan: Plan, steps: int) -> None:
    """Compile a network with the plan's loss and optimizer, which is built for the layers that are not frozen."""
    model.compile(optimizer=_optimizer(plan, steps), loss=_loss(plan), metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)


def _layers(plan: Plan, classes: int, spec: InputSpec) -> list[keras.Layer]:
    layers: list[keras.Layer] = [keras.Input(spec.network_shape, name="images")]
    if plan.filters and spec.channels == 1:
        layers.append(keras.layers.Reshape((*spec.network_shape, 1), name="channel"))
    for block, filters in enumerate(plan.filters, start=1):
        for number in range(1, plan.convolutions + 1):
            name = f"conv_{block}_{number}"
            layers += _activated(keras.layers.Conv2D, plan, name, filters=filters, kernel_size=3, padding="same")
        layers.append(keras.layers.MaxPooling2D(name=f"pool_{block}"))
    layers.append(keras.layers.Flatten(name="flatten"))
    for number, units in enumerate(plan.units, start=1):
        layers += _activated(keras.layers.Dense, plan, f"hidden_{number}", units=units)
        if plan.dropout:
            layers.append(keras.layers.Dropout(plan.dropout, name=f"dropout_{number}"))
    # float32 also with mixed precision, so that the loss is exact.
    layers.append(keras.layers.Dense(classes, activation=plan.output_activation, dtype="float32", name="output"))
    return layers


def _activated(layer: type[keras.Layer], plan: Plan, name: str, **options: object) -> list[keras.Layer]:
    if not plan.batch_normalization:
        return [layer(activation=plan.activation, name=name, **options)]
    return [
        layer(name=name, **options),
        keras.layers.BatchNormalization(name=f"{name}_normalized"),
        keras.layers.Activation(plan.activation, name=f"{name}_{plan.activation}"),
    ]


def _optimizer(plan: Plan, steps: int) -> keras.Optimizer:
    rate: float | keras.optimizers.schedules.LearningRateSchedule = plan.learning_rate
    if plan.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(plan.learning_rate, decay_steps=steps)
    elif plan.schedule == "exponential":
        rate = keras.optimizers.schedules.ExponentialDecay(plan.learning_rate, steps, EXPONENTIAL_END)
    if plan.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=SGD_MOMENTUM, nesterov=True)
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
    }
    return kinds[plan.optimizer](rate)


def _loss(plan: Plan) -> str | keras.Loss:
    if plan.label_smoothing:
        return keras.losses.CategoricalCrossentropy(label_smoothing=plan.label_smoothing)
    return plan.loss


@contextmanager
def on_logits(model: keras.Model) -> Iterator[None]:
    """Within this block, a compiled network with sigmoid outputs returns logits, with the softmax loss of those.

    Keras leaves the cross-entropy of sigmoid outputs to its backend: TensorFlow computes it from the logits, JAX and
    Torch from p / sum(p). The published system ran on TensorFlow. So networks are trained and tested inside this block;
    outside, they are unchanged and their files need no custom objects.
    """
    output, loss = model.layers[-1], model.loss
    if getattr(output, "activation", None) is not keras.activations.sigmoid:
        yield
        return
    output.activation = keras.activations.linear
    model.compile(optimizer=model.optimizer, loss=_from_logits(loss), metrics=["accuracy"])
    try:
        yield
    finally:
        output.activation = keras.activations.sigmoid
        model.compile(optimizer=model.optimizer, loss=loss, metrics=["accuracy"])


def _from_logits(loss: str | keras.Loss) -> keras.Loss:
    if loss == "sparse_categorical_crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    smoothing = 0.0 if isinstance(loss, str) else loss.get_config()["label_smoothing"]
    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)


def takes_one_hot(model: keras.Model) -> bool:
    """Whether a compiled model's loss takes one-hot labels rather than class indices."""
    return model.loss == "categorical_crossentropy" or isinstance(model.loss, keras.losses.CategoricalCrossentropy)


def has_convolutions(model: keras.Model) -> bool:
    """Whether it, or a model within it, has any."""
    return any(
        has_convolutions(layer) if isinstance(layer, keras.Model) else isinstance(layer, keras.layers.Conv2D)
        for layer in model.layers
    )
