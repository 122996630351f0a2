"""Fits the network that tells a digit's strokes from the lines of a box, and writes its weights.

    python -m benchmarks.fit_line_model --datasets FOLDER

Only MNIST's training digits are used. On two cores it takes about a quarter of an hour. Weights fitted again with the
same seed differ a little, as sums on several cores do.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.random_frames import Sample, sample
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.images.normalization.ink import ink_of
from tenfold.trainer.images.normalization.lines.segmenter import BLOCK, LAYERS, SIDE, WEIGHTS
from tenfold.trainer.images.normalization.paper import light_on_dark, paper_of

# Channels at 24, 12 and 6 places a side.
CHANNELS = (16, 24, 48)

BATCH = 128
RATE = 1.5e-3

# Weights are averaged over some 500 batches, an epoch: that does for them what a falling rate does.
AVERAGED = 0.998

CHUNK = 10_000

# So many samples are seen with paper and ink exchanged, where all must stay as it is.
INVERTED = 0.04

# An error counts by how much ink is there, and a little where none is.
NO_INK = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, default=Path("data/datasets"))
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    digits = load_dataset("mnist", given.datasets).train_images
    seeds = [[given.seed, chunk] for chunk in range(-(-given.samples // CHUNK))]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        parts = list(pool.map(examples, [digits] * len(seeds), seeds))
    inks, truths = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    fit(inks, truths, given.epochs, given.seed, given.out)


def examples(digits: Bytes, seed: list[int]) -> tuple[Bytes, Bytes]:
    """Ink as the network sees it, and what share of it is the digit's, each (10,000, 48, 48) uint8."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    pairs = [_example(sample(digits, rng), inverted=rng.random() < INVERTED) for _ in range(CHUNK)]
    return np.stack([ink for ink, _ in pairs]), np.stack([truth for _, truth in pairs])


def fit(inks: Bytes, truths: Bytes, epochs: int, seed: int, path: Path) -> None:
    """Writes the weights after each epoch, over every picture, mirrored and turned by chance."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)

    def turned(ink: Any, truth: Any) -> tuple[Any, Any]:
        both = tf.cast(tf.stack([ink, truth], axis=-1), tf.float32) / 255
        chance = tf.random.uniform((3,))
        both = tf.cond(chance[0] < 0.5, lambda: both[:, :, ::-1], lambda: both)
        both = tf.cond(chance[1] < 0.5, lambda: both[:, ::-1], lambda: both)
        both = tf.cond(chance[2] < 0.5, lambda: tf.transpose(both, (0, 2, 1, 3)), lambda: both)
        ink = tf.nn.space_to_depth(tf.sqrt(both[..., :1]), BLOCK)
        truth = tf.nn.space_to_depth(both[..., 1:], BLOCK)
        return ink, tf.concat([ink, truth], axis=-1)

    def loss(ink_and_truth: Any, logits: Any) -> Any:
        ink, truth = tf.split(ink_and_truth, 2, axis=-1)
        errors = tf.nn.sigmoid_cross_entropy_with_logits(truth, logits) * (ink + NO_INK)
        return tf.reduce_sum(errors) / tf.reduce_sum(ink + NO_INK)

    batches = tf.data.Dataset.from_tensor_slices((inks, truths)).shuffle(len(inks), seed=seed)
    batches = batches.batch(BATCH, drop_remainder=True).map(turned).prefetch(4)
    model = network()
    model.compile(keras.optimizers.Adam(RATE, use_ema=True, ema_momentum=AVERAGED), loss=loss)
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    written = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: write(model, path))
    model.fit(batches, epochs=epochs, verbose=2, callbacks=[averaged, written])


def network() -> Any:
    """The Keras model that `segmenter` runs in NumPy: from (24, 24, 4) to logits."""
    import keras
    from keras.layers import Concatenate, Conv2D, UpSampling2D

    def convolved(channels: int, values: Any, strides: int = 1) -> Any:
        options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        return Conv2D(channels, 3, strides=strides, **options)(values)

    wide_channels, middle_channels, narrow_channels = CHANNELS
    ink = keras.Input((SIDE // BLOCK, SIDE // BLOCK, BLOCK * BLOCK))
    wide = convolved(wide_channels, convolved(wide_channels, ink))
    middle = convolved(middle_channels, convolved(middle_channels, wide, strides=2))
    narrow = convolved(narrow_channels, convolved(narrow_channels, middle, strides=2))
    narrow = convolved(narrow_channels, narrow)
    middle = convolved(middle_channels, Concatenate()([UpSampling2D()(narrow), middle]))
    wide = convolved(wide_channels, Concatenate()([UpSampling2D()(middle), wide]))
    return keras.Model(ink, Conv2D(BLOCK * BLOCK, 3, padding="same")(wide))


def write(model: Any, path: Path) -> None:
    """The convolutions' weights as float16, in the order in which they are applied."""
    layers = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    if len(layers) != LAYERS:
        raise ValueError(f"expected {LAYERS} layers with weights, but the model has {len(layers)}")
    arrays = {}
    for place, (kernel, bias) in enumerate(layers):
        arrays[f"kernel{place}"], arrays[f"bias{place}"] = kernel.astype(np.float16), bias.astype(np.float16)
    np.savez_compressed(path, **arrays)


def _example(drawn: Sample, inverted: bool) -> tuple[Bytes, Bytes]:
    gray, strokes, others = drawn
    ink = ink_of(light_on_dark(gray, paper_of(gray), "light-on-dark" if inverted else "dark-on-light"))
    method = cv2.INTER_AREA if min(gray.shape) >= SIDE else cv2.INTER_LINEAR
    small, own, foreign = (cv2.resize(part, (SIDE, SIDE), interpolation=method) for part in (ink, strokes, others))
    most = np.maximum(own, foreign)
    share = np.where(most < 0.05, own > 0, own / np.maximum(most, 0.05))
    truth = np.ones_like(share) if inverted else share.clip(0, 1)
    return np.asarray(small, np.uint8), np.asarray(truth * 255, np.uint8)


if __name__ == "__main__":
    main()
