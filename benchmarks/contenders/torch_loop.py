"""A PyTorch loop by hand: the data as tensors, batches gathered by index, one thread (the fastest here)."""

import time
from itertools import pairwise

import torch
from torch import nn

from benchmarks.contenders import Result
from tenfold.trainer.architecture.recipes import get_recipe
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.input_spec import SIDE

OPTIMIZERS = {
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.001, eps=1e-7),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, lr=0.001, alpha=0.9, eps=1e-7),
}


def train(recipe: str, epochs: int, seed: int, dataset: Dataset) -> Result:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    spec = get_recipe(recipe).plan
    layers: list[nn.Module] = []
    for inputs, units in pairwise([SIDE * SIDE, *spec.units]):
        layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(spec.dropout)]
    model = nn.Sequential(*layers, nn.Linear(spec.units[-1], len(dataset.class_names)))
    optimizer = OPTIMIZERS[spec.optimizer](model.parameters())
    loss_of = nn.CrossEntropyLoss()
    images = torch.tensor(dataset.train_images).flatten(1).float() / 255
    labels = torch.tensor(dataset.train_labels).long()
    test_images = torch.tensor(dataset.test_images).flatten(1).float() / 255
    test_labels = torch.tensor(dataset.test_labels).long()

    def accuracy() -> float:
        model.eval()
        with torch.no_grad():
            return float((model(test_images).argmax(1) == test_labels).float().mean())

    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        model.train()
        for batch in torch.randperm(len(images)).split(spec.batch_size):
            optimizer.zero_grad()
            loss_of(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        if spec.validation == "test":
            accuracy()
        seconds.append(time.perf_counter() - started)
    return Result(seconds, test_accuracy=accuracy())
