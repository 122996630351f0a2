"""Writes a net of the recipe `dropout-128`, untrained: `python -m benchmarks.classifying.untrained model.keras`."""

import sys

from trainer.networks import build_model
from trainer.recipes import RECIPES

if __name__ == "__main__":
    build_model(RECIPES["dropout-128"].plan, classes=10, seed=1, steps=1).save(sys.argv[1])
