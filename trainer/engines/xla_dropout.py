"""Keras' dropout for compiling by XLA: the generator that XLA takes when left to choose is 200 times slower."""

from typing import Any

import keras
import tensorflow as tf


class XlaDropout(keras.layers.Dropout):
    """Keras' own in all but the generator: its random state is one number that moves on by a fixed step."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed, rng_alg="threefry")
