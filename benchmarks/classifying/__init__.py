"""Ways to classify a zip of images, a module each, with one function of the same form:

    classify(archive: Path, model: Path, limit: int) -> Timing

`limit` is the most images to take. Each runs in a process of its own on one core (`python -m benchmarks.classifying
NAME ZIP MODEL`). What is done once, like loading the model and its first prediction, is not timed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """How many images were classified in how many seconds."""

    images: int
    seconds: float

    @property
    def images_a_second(self) -> float:
        return self.images / self.seconds
