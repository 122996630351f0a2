"""Recipes, the plans they name (all hyperparameters), and the Keras networks built from plans."""
