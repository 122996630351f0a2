"""Changes to a plan, for Hypothesis to draw."""

from typing import Any, get_args

from hypothesis import strategies as st

from tenfold.trainer.architecture.plans import Plan

CHOICES = {
    name: list(get_args(field.annotation)) for name, field in Plan.model_fields.items() if get_args(field.annotation)
}

# Small networks: each value within the bounds of `Plan`, and all together far below the most parameters.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "filters": st.lists(st.integers(1, 12), max_size=4).map(tuple),
    "convolutions": st.integers(1, 3),
    "units": st.lists(st.integers(1, 40), max_size=4).map(tuple),
    "activation": st.sampled_from(CHOICES["activation"]),
    "batch_normalization": st.booleans(),
    "dropout": st.floats(0, 0.95),
    "output_activation": st.sampled_from(CHOICES["output_activation"]),
    "optimizer": st.sampled_from(CHOICES["optimizer"]),
    "learning_rate": st.floats(1e-6, 10),
    "schedule": st.sampled_from(CHOICES["schedule"]),
    "loss": st.sampled_from(CHOICES["loss"]),
    "label_smoothing": st.floats(0, 0.5),
    "class_weights": st.sampled_from(CHOICES["class_weights"]),
    "epochs": st.integers(1, 1000),
    "batch_size": st.integers(1, 8192),
    "validation": st.sampled_from(CHOICES["validation"]),
    "validation_split": st.floats(0.001, 0.5),
    "early_stopping": st.integers(0, 1000),
    "augmentation": st.sampled_from(CHOICES["augmentation"]),
}


def changes() -> st.SearchStrategy[dict[str, Any]]:
    """Some of a plan's fields, that go together."""
    return st.fixed_dictionaries({}, optional=FIELDS).map(_together)


def _together(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"validation": "split"} if values.get("early_stopping") else values
