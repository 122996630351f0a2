"""The science: recipes, data sets, training, evaluation, image normalisation and batched inference.

Knows no job, no queue and no HTTP. From a notebook:

    from pathlib import Path
    from trainer.datasets import load_dataset
    from trainer.parameters import TrainingParameters
    from trainer.training import train

    trained = train(TrainingParameters(recipe="dropout-128"), load_dataset("mnist", Path("data/datasets")))
    trained.model.summary()
"""
