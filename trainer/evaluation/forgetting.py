"""Measures how much a fine-tuned model still knows of what the model that it started from had learned."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.loop import Trained


@dataclass(frozen=True)
class Forgetting:
    """Accuracies (0–1) on the test images of the ancestor's data set: of the ancestor, and of the new model."""

    dataset: str
    test_images: int
    before: float
    after: float

    @property
    def note(self) -> str:
        return (
            f"On the {self.test_images:,} test images of {self.dataset}, which the model that it started from was "
            f"trained on: {self.before:.2%} before, {self.after:.2%} after."
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def knows_all_classes(trained: Trained, class_names: tuple[str, ...]) -> bool:
    """Whether the new model still has every class of its ancestor, so that both can be compared."""
    return trained.ancestor is not None and set(trained.ancestor.class_names) <= set(class_names)


def measure_forgetting(trained: Trained, class_names: tuple[str, ...], original: Dataset) -> Forgetting:
    """Compare the new model with its ancestor on the ancestor's test images.

    Args:
        class_names: of the new model; all of the ancestor's are among them.
        original: the ancestor's data set.
    """
    assert trained.ancestor is not None
    original = trained.ancestor.prepared(original)
    names = np.array(original.class_names)[original.test_labels]

    def accuracy(model: Any, outputs: tuple[str, ...]) -> float:
        answers = Classifier(model, spec=original.input).classify(original.test_images).argmax(axis=1)
        return float(np.mean(np.array(outputs)[answers] == names))

    return Forgetting(
        original.name,
        len(names),
        before=accuracy(trained.ancestor.model, trained.ancestor.class_names),
        after=accuracy(trained.model, class_names),
    )
