"""The network that tells strokes from lines: NumPy runs what Keras fitted, and it holds on frames not fitted on."""

import numpy as np
import pytest

from benchmarks.fit_line_model import CHUNK, examples, network
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.images.normalization.lines import segmenter


def test_numpy_runs_the_network_that_keras_fits() -> None:
    model = network()
    with np.load(segmenter.WEIGHTS) as stored:
        model.set_weights(
            [stored[f"{kind}{layer}"] for layer in range(segmenter.LAYERS) for kind in ("kernel", "bias")]
        )
    ink = np.random.default_rng(1).integers(0, 256, (60, 90)).astype(np.uint8)

    logits = model.predict(segmenter.as_input(ink)[None], verbose=0)[0]

    assert np.abs(segmenter.logits(ink) - logits).max() < 1e-3


def test_strokes_are_told_from_lines(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """On test digits in other frames of the kind that it was fitted on, where ink is wholly one or the other."""
    monkeypatch.setattr("benchmarks.fit_line_model.CHUNK", 300)
    inks, truths = examples(mnist.test_images, [9, 9])

    told = np.stack([segmenter.segment(ink) >= 0.5 for ink in inks])

    strokes, others = ((inks > 128) & which for which in (truths > 200, truths < 55))
    assert told[strokes].mean() >= 0.97
    assert told[others].mean() <= 0.06


def test_examples_are_repeatable(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.fit_line_model.CHUNK", 5)

    first, again, other = (examples(mnist.test_images, [1, chunk]) for chunk in (0, 0, 1))

    assert CHUNK > 5
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
