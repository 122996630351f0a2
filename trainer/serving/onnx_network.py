"""Runs an ONNX network in the place of a Keras model."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.errors import PackageMissing


class OnnxNetwork:
    """What `Classifier` needs of a `keras.Model`.

    Args:
        path: an ONNX file with one input (n, *shape) float32 and one output (n, classes).
        threads: of one operation.

    Raises:
        PackageMissing: ONNX Runtime is not installed.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise PackageMissing(
                f"This model needs the package onnxruntime, which can't be imported ({error}): "
                "pip install 'tenfold[exports]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (self._input,) = self._session.get_inputs()
        (output,) = self._session.get_outputs()
        self.output_shape: tuple[Any, ...] = tuple(output.shape)

    @property
    def fixed_batch(self) -> int | None:
        """How many images the network takes at a time, if only this many."""
        size = self._input.shape[0]
        return size if isinstance(size, int) else None

    def predict_on_batch(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(n, classes) for (n, *shape)."""
        if (size := self.fixed_batch) is None:
            return self._run(images)
        padded = np.concatenate([images, np.zeros((-len(images) % size, *images.shape[1:]), np.float32)])
        answers = [self._run(padded[start : start + size]) for start in range(0, len(padded), size)]
        return np.concatenate(answers)[: len(images)]

    def _run(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        (scores,) = self._session.run(None, {self._input.name: images})
        return np.asarray(scores)
