"""Reports for people: metrics, plots, the model card, and the reproduction of the recipes."""
