"""Starts a network from a trained one: the same layers and weights, a head for the new classes, some layers frozen."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tenfold.trainer.architecture.parameters import Freeze
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.files import DIGITS
from tenfold.trainer.errors import CannotFineTune
from tenfold.trainer.input_spec import InputSpec

# Layers that only convert the scores of the last dense layer to probabilities.
ACTIVATIONS = (keras.layers.Activation, keras.layers.Softmax)


@dataclass(frozen=True)
class Ancestor:
    """A trained model to start from: its id, its network, and the metrics of its training."""

    id: str
    model: keras.Model
    metrics: Mapping[str, Any]

    @classmethod
    def load(cls, directory: Path, metrics: Mapping[str, Any] | None = None) -> "Ancestor":
        """Read a model's folder, which is named after its id.

        Args:
            metrics: default: those in its `metrics.json`.

        Raises:
            CannotFineTune: it has no Keras network.
        """
        file = directory / "model.keras"
        if not file.is_file():
            raise CannotFineTune(
                f"The model {directory.name} has no Keras network (model.keras), so no training can start from it."
            )
        model = keras.models.load_model(file, compile=False, safe_mode=True)
        if metrics is None:
            metrics = json.loads((directory / "metrics.json").read_bytes())
        return cls(directory.name, model, metrics)

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.metrics.get("class_names", DIGITS))

    @property
    def input(self) -> InputSpec:
        """How the network takes images."""
        return InputSpec.read(self.metrics.get("input", {}))

    def prepared(self, dataset: Dataset) -> Dataset:
        """The data set with the scaling and orientation that the network takes.

        Raises:
            CannotFineTune: the network takes images of another size or color.
        """
        takes, has = self.input, dataset.input
        if takes.shape != has.shape:
            raise CannotFineTune(
                f"The model {self.id} takes {takes.size} images, and those of {dataset.name} are {has.size}. "
                "Import the data set with the model's size, or train from a recipe."
            )
        if (takes.scaling, takes.orientation) == (has.scaling, has.orientation):
            return dataset
        return replace(dataset, input=replace(has, scaling=takes.scaling, orientation=takes.orientation))

    def lineage(self) -> list[dict[str, Any]]:
        """This model, the one that it started from, and so on, as `metrics.json` records them."""
        about = {name: self.metrics.get(name) for name in ("recipe", "dataset", "test_accuracy")}
        return [
            {"id": self.id, **about, "weights_sha256": weights_sha256(self.model)},
            *self.metrics.get("ancestors", []),
        ]


def start_from(ancestor: Ancestor, class_names: Sequence[str], freeze: Freeze) -> tuple[keras.Model, list[str]]:
    """A copy of the ancestor's network with outputs for these classes, not compiled, and sentences on what was kept.

    An output of a class that the ancestor knows by the same name keeps its weights; those of other classes start as
    Keras initializes them, from its global seed. Frozen layers are not trainable: batch normalization then
    uses the ancestor's means and variances. `convolutions` freezes all layers before the first dense one.

    Raises:
        CannotFineTune: the network does not end in a dense layer, or there is nothing to freeze.
    """
    head = _head(ancestor)
    frozen = _frozen(ancestor, head, freeze)
    copies: dict[int, keras.Layer] = {}

    def copied(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.Model):  # a network made elsewhere can contain another
            return keras.models.clone_model(layer, clone_function=copied)
        config = layer.get_config()
        copy = type(layer).from_config(config | {"units": len(class_names)} if layer is head else config)
        copy.trainable = layer not in frozen
        copies[id(layer)] = copy
        return copy

    model = keras.models.clone_model(ancestor.model, clone_function=copied)
    for layer in _layers(ancestor.model):
        if layer.weights and layer is not head:
            copies[id(layer)].set_weights(layer.get_weights())
    notes = _fill_head(copies[id(head)], head, ancestor.class_names, class_names)
    if frozen:
        kept = sum(layer.count_params() for layer in frozen)
        notes.append(f"Frozen: {kept:,} of {model.count_params():,} parameters (freeze={freeze}).")
    return model, [f"It started from the model {ancestor.id}.", *notes]


def weights_sha256(model: keras.Model) -> str:
    """The hash of all weights, in the network's order. Unlike that of the file, it depends on nothing else."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(f"{weight.dtype} {weight.shape}\n".encode())
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def _layers(model: keras.Model) -> list[keras.Layer]:
    """All layers in order, with those of models within the model."""
    parts = [_layers(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers]
    return [layer for part in parts for layer in part]


def _head(ancestor: Ancestor) -> keras.layers.Dense:
    layers = _layers(ancestor.model)
    head = next((layer for layer in reversed(layers) if not isinstance(layer, ACTIVATIONS)), None)
    if not isinstance(head, keras.layers.Dense):
        raise CannotFineTune(
            f"The model {ancestor.id} ends in a layer {type(layers[-1]).__name__}. A training can only start from a "
            "network that ends in a dense layer with an output for each class."
        )
    return head


def _frozen(ancestor: Ancestor, head: keras.layers.Dense, freeze: Freeze) -> list[keras.Layer]:
    """The layers to freeze."""
    if freeze == "none":
        return []
    layers = _layers(ancestor.model)
    before = layers[: layers.index(head)]
    if freeze == "convolutions":
        dense = next((i for i, layer in enumerate(before) if isinstance(layer, keras.layers.Dense)), len(before))
        before = before[:dense]
    frozen = [layer for layer in before if layer.weights]
    if not frozen:
        raise CannotFineTune(
            f"The model {ancestor.id} has no layers with weights to freeze (freeze={freeze}); use freeze=none."
        )
    return frozen


def _fill_head(
    head: keras.layers.Dense, old: keras.layers.Dense, known: Sequence[str], wanted: Sequence[str]
) -> list[str]:
    """Give each output of a known class the weights that it had; say which are new."""
    if tuple(known) == tuple(wanted):
        head.set_weights(old.get_weights())
        return []
    place = {name: index for index, name in enumerate(known)}
    kept = [(new, place[name]) for new, name in enumerate(wanted) if name in place]
    if kept:
        to, of = map(list, zip(*kept, strict=True))
        weights = head.get_weights()
        for fresh, trained in zip(weights, old.get_weights(), strict=True):
            fresh[..., to] = trained[..., of]
        head.set_weights(weights)
    if len(kept) == len(wanted) == len(known):
        return ["It has the same classes in another order, so its outputs were reordered."]
    if not kept:
        return [f"None of its classes was known, so all {len(wanted)} outputs are new."]
    dropped = len(known) - len(kept)
    return [
        f"{len(kept)} of {len(wanted)} outputs kept their weights, since classes with these names were known; "
        f"{len(wanted) - len(kept)} are new" + (f", {dropped} were dropped." if dropped else ".")
    ]
