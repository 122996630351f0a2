"""Each source's plain script: `model.fit` on NumPy arrays scaled to 0–1, as written, nothing tuned.

Like the sources it sets no seed. With one, Keras on TensorFlow would shuffle every epoch into the same order, since
tf.data starts its generator again with each iterator, and networks without dropout overfit more
(docs/benchmarks/reproduction.md).
"""

import time

import keras

from benchmarks.contenders import Result
from tenfold.trainer.data.datasets import Dataset

Dense, Dropout, Flatten = keras.layers.Dense, keras.layers.Dropout, keras.layers.Flatten

LAYERS = {
    "sigmoid-100": lambda: [Dense(100, activation="relu"), Dense(10, activation="sigmoid")],
    "rmsprop-512": lambda: [Dense(512, activation="relu"), Dense(10, activation="softmax")],
    "dropout-128": lambda: [Dense(128, activation="relu"), Dropout(0.2), Dense(10, activation="softmax")],
    "dropout-128-32": lambda: [
        Dense(128, activation="relu"),
        Dropout(0.2),
        Dense(32, activation="relu"),
        Dropout(0.2),
        Dense(10, activation="softmax"),
    ],
    "dense-128-64": lambda: [
        Dense(128, activation="relu"),
        Dense(64, activation="relu"),
        Dense(10, activation="softmax"),
    ],
}

VALIDATED = ("dropout-128", "dropout-128-32")


class Stopwatch(keras.callbacks.Callback):
    """Seconds of each epoch, validation included."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.seconds.append(time.perf_counter() - self._started)


def train(recipe: str, epochs: int, _seed: int, dataset: Dataset) -> Result:
    x_train, x_test = dataset.train_images / 255.0, dataset.test_images / 255.0
    y_train, y_test = dataset.train_labels, dataset.test_labels
    optimizer, loss, batch_size = "adam", "sparse_categorical_crossentropy", 32
    if recipe == "rmsprop-512":
        optimizer, loss, batch_size = "rmsprop", "categorical_crossentropy", 128
        y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)

    model = keras.Sequential([keras.Input((28, 28)), Flatten(), *LAYERS[recipe]()])
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    watch = Stopwatch()
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        batch_size=batch_size,
        validation_data=(x_test, y_test) if recipe in VALIDATED else None,
        callbacks=[watch],
        verbose=0,
    )
    test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
    return Result(watch.seconds, history.history["accuracy"][-1], test_accuracy, test_loss)
