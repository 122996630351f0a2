"""Builds a recipe's Keras model."""

import keras

from trainer.parameters import TrainingParameters
from trainer.recipes import CLASSES, DEFAULT_LEARNING_RATE, Recipe, get_recipe

OPTIMIZERS = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}


def build_model(recipe: Recipe, *, seed: int, learning_rate: float = DEFAULT_LEARNING_RATE) -> keras.Model:
    """The recipe's net, compiled, with Keras' own initialisers.

    Its input is (n, 28, 28) float in 0–1, its output (n, 10). Sets the seeds of Python, NumPy and Keras.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(name=recipe.name.replace("-", "_"))
    model.add(keras.Input((28, 28)))
    model.add(keras.layers.Flatten(name="flatten"))
    for number, layer in enumerate(recipe.hidden, start=1):
        model.add(keras.layers.Dense(layer.units, activation=layer.activation, name=f"hidden_{number}"))
        if layer.dropout:
            model.add(keras.layers.Dropout(layer.dropout, name=f"dropout_{number}"))
    model.add(keras.layers.Dense(CLASSES, activation=recipe.output_activation, name="output"))
    model.compile(
        optimizer=OPTIMIZERS[recipe.optimizer](learning_rate=learning_rate), loss=recipe.loss, metrics=["accuracy"]
    )
    model.optimizer.build(model.trainable_variables)
    return model


def build_from(parameters: TrainingParameters) -> keras.Model:
    """The model that resolved parameters describe."""
    assert parameters.learning_rate is not None, "resolve the parameters first"
    return build_model(get_recipe(parameters.recipe), seed=parameters.seed, learning_rate=parameters.learning_rate)
