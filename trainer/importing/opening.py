"""Opens a model's file, and writes the network in a form that Tenfold serves: the bounded process of an import.

`python -m tenfold.trainer.importing.opening` reads its request from, and writes its answer to, the working directory
(`isolation.py`). What the long-lived workers load later is only what this process wrote.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tenfold.files.kinds import HDF5, PICKLE, START_BYTES, ZIP, kind_of_file
from tenfold.trainer.errors import ModelRefused, PackageMissing
from tenfold.trainer.importing.isolation import ANSWER, REQUEST, Limits, too_much_memory
from tenfold.trainer.importing.outputs import random_images
from tenfold.trainer.importing.zips import files_of, open_zip
from tenfold.trainer.input_spec import InputSpec

Format = Literal["keras", "h5", "savedmodel", "onnx"]


# What TensorFlow and ONNX Runtime say of memory that they don't get.
OUT_OF_MEMORY = re.compile(r"allocate memory|\bOOM\b|bad_alloc|resource ?exhausted", re.IGNORECASE)


@dataclass(frozen=True)
class Opened:
    """A network that was opened, and written in a form that Tenfold serves.

    `file` is `model.keras` or `model.onnx`; `shape` how the network took one image, `layout` the same in words;
    `output` is `probabilities`, `scores` (each in 0–1, not summing to 1) or `logits`, which are now turned into
    probabilities; `measured` is whether that was judged by its answers to random images. `batch` is how many images it
    takes at a time, if only so many.
    """

    format: Format
    file: str
    shape: tuple[int, ...]
    layout: str
    classes: int
    output: Literal["probabilities", "scores", "logits"]
    measured: bool
    batch: int | None
    parameter_count: int
    seconds_per_image: float
    versions: dict[str, str]


def main() -> None:
    work = Path.cwd()
    request = json.loads((work / REQUEST).read_bytes())
    limits = Limits(**request["limits"])
    limits.apply()
    answer: dict[str, Any]
    try:
        answer = asdict(_open(request, limits, work))
    except PackageMissing as missing:
        answer = {"missing": str(missing)}
    except Exception as error:
        refused = _refusal(error, limits)
        answer = {"refused": {"field": refused.field, "message": refused.message}}
    (work / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _refusal(error: Exception, limits: Limits) -> ModelRefused:
    """What to tell of any error: whatever a file makes a library raise, the file is what is wrong."""
    cause = error.__cause__ or error
    if isinstance(cause, MemoryError) or OUT_OF_MEMORY.search(str(cause)):
        return too_much_memory(limits)
    if isinstance(error, ModelRefused):
        return error
    reason = " ".join(str(error).split())[:300]
    return ModelRefused("file", f"The network can't be used: {reason} Export it again for inference.")


def _open(request: Mapping[str, Any], limits: Limits, work: Path) -> Opened:
    path, spec = Path(request["path"]), InputSpec.read(request["input"])
    kind = detect_format(path, limits.file_bytes)
    if kind in ("keras", "h5"):
        from tenfold.trainer.importing.keras_opening import write_keras

        written = write_keras(path, kind == "h5", spec, request["classes"], work, limits.file_bytes)
    else:
        from tenfold.trainer.importing.onnx_opening import write_onnx

        written = write_onnx(path, kind == "savedmodel", spec, request["classes"], work, limits.file_bytes)
    return Opened(kind, **written, seconds_per_image=_timed(work / written["file"], spec))


def detect_format(path: Path, max_bytes: int) -> Format:
    """The format of a model's file, by its content.

    Raises:
        ModelRefused: it is of none that can be opened; the message says what it is, where that is known.
    """
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    kind = kind_of_file(start)
    if kind is HDF5:
        return "h5"
    if kind is PICKLE:
        raise ModelRefused(
            "file", f"The file is a Python pickle, which can run programs: it is never opened. {_REMEDY}"
        )
    if kind is not ZIP:
        return "onnx"
    with open_zip(path, max_bytes) as archive:
        names = [name.rpartition("/")[2] for name in files_of(archive)]
    if "data.pkl" in names:
        raise ModelRefused(
            "file",
            "The file is one of PyTorch with pickles, which can run programs: it is never opened. Export the model as "
            "ONNX: torch.onnx.export(model, example, 'model.onnx', dynamo=False).",
        )
    if "saved_model.pb" in names:
        return "savedmodel"
    if "config.json" in names or "model.weights.h5" in names:
        return "keras"
    raise ModelRefused("file", f"The zip has neither a .keras file's members nor a SavedModel. {_REMEDY}")


_REMEDY = "Save the model as .keras (model.save('model.keras')) or ONNX, or zip the folder of a SavedModel."


def _timed(path: Path, spec: InputSpec) -> float:
    """Seconds of processor time for an image in a full batch; the first batch, which compiles, is not counted.

    Raises:
        ModelRefused: its answers are not numbers.
    """
    from tenfold.trainer.serving.inference import BATCH, Classifier

    classifier = Classifier.load(path, spec=spec)
    images = random_images(spec, BATCH)
    classifier.classify(images)
    started = time.process_time()
    answers = classifier.classify(images)
    taken = time.process_time() - started
    if not np.isfinite(answers).all():
        raise ModelRefused(
            "file",
            "The network's answers to random images are NaN or infinite. Check that it answers for images scaled to "
            f"{spec.scaling}, and export it again.",
        )
    return taken / len(images)


if __name__ == "__main__":
    main()
