"""Ways to train a recipe, a module each, with one function of the same form:

    train(recipe: str, epochs: int, seed: int, dataset: Dataset) -> Result

Each runs in a process of its own (`python -m benchmarks.contenders NAME RECIPE`), so that none shares threads,
memory or a warm-up with another.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """How long each epoch took, in seconds, and how good the model was on the test set (None: not measured)."""

    epoch_seconds: list[float]
    train_accuracy: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None

    @property
    def seconds_an_epoch(self) -> float:
        """The mean without the first epoch, which pays for compiling."""
        later = self.epoch_seconds[1:] or self.epoch_seconds
        return sum(later) / len(later)
