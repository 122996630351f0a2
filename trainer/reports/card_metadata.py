"""The metadata at the top of a model card, in the form that the Hugging Face Hub reads.

The specification is `modelcard.md` of https://github.com/huggingface/hub-docs. `license` is left out: nobody has told
Tenfold the license of a model. So is a data set that is not on the Hub, whose name there could be another's.
"""

from collections.abc import Mapping
from typing import Any

import yaml

TASK = "image-classification"

# The built-in data sets on the Hub.
ON_THE_HUB = {"mnist": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist"}

# What the Hub calls images that are on somebody's disk.
OF_ONES_OWN = "imagefolder"


def front_matter(title: str, metrics: Mapping[str, Any], *, trained_here: bool) -> str:
    """The metadata as YAML between two lines of dashes.

    Args:
        title: names the model.
        metrics: its `metrics.json`.
        trained_here: whether `metrics` tells the data that it was trained on, rather than only tested on.
    """
    metadata: dict[str, Any] = {
        "library_name": "keras" if "keras" in metrics["versions"] else "onnx",
        "pipeline_tag": TASK,
        "tags": [TASK, "tenfold"],
    }
    learned = [metrics["dataset"], *(ancestor["dataset"] for ancestor in metrics["ancestors"])] if trained_here else []
    if on_the_hub := [ON_THE_HUB[name] for name in dict.fromkeys(learned) if name in ON_THE_HUB]:
        metadata["datasets"] = on_the_hub
    if metrics["test_images"]:
        metadata["metrics"] = ["accuracy", "f1"]
        metadata["model-index"] = [{"name": title, "results": [_result(metrics, trained_here=trained_here)]}]
    return f"---\n{yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=120)}---\n"


def _result(metrics: Mapping[str, Any], *, trained_here: bool) -> dict[str, Any]:
    dataset = metrics["dataset"]
    return {
        "task": {"type": TASK, "name": "Image Classification"},
        "dataset": {"type": ON_THE_HUB.get(dataset, OF_ONES_OWN), "name": dataset}
        | ({"split": "test"} if trained_here else {}),
        "metrics": [
            {"type": "accuracy", "name": "Accuracy", "value": round(metrics["test_accuracy"], 6)},
            {"type": "f1", "name": "Macro F1", "value": round(metrics["macro_f1"], 6), "args": {"average": "macro"}},
        ],
    }
