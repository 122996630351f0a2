"""Machine learning: recipes, data sets, training, evaluation, image normalization and batched inference.

Independent of jobs, queues and HTTP. In a notebook:

    from pathlib import Path
    from tenfold.trainer.data.datasets import load_dataset
    from tenfold.trainer.architecture.parameters import TrainingParameters
    from tenfold.trainer.training.loop import train

    trained = train(TrainingParameters(recipe="dropout-128"), load_dataset("mnist", Path("data/datasets")))
    trained.model.summary()
"""
