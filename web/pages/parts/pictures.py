"""The plots and images that a job or a model may have, with their captions and alternative texts."""

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    name: str
    caption: str
    alt: str


PICTURES = (
    Picture(
        "curves.png", "Loss and accuracy by epoch", "Two line charts: loss and accuracy after each epoch, by split."
    ),
    Picture(
        "confidence.png",
        "Distribution of the confidence, and the review threshold",
        "Histogram of the confidence of the answers, with the threshold below which they go to review.",
    ),
    Picture(
        "uncertain.png",
        "The least certain images, as model input",
        "Grid of the least certain images, each with the two most probable classes.",
    ),
    Picture(
        "confusion.png",
        "Confusion matrix: test images by true and predicted class",
        "Confusion matrix: true classes in rows, predicted classes in columns; correct answers are on the diagonal.",
    ),
    Picture(
        "mistakes.png",
        "The worst mistakes: wrong answers with the highest confidence",
        "Grid of misclassified test images, each with its true class, predicted class and confidence.",
    ),
    Picture(
        "predictions.png",
        "Random test images and their predicted classes",
        "Grid of random test images, each with its true and its predicted class.",
    ),
    Picture(
        "reliability.png",
        "Reliability diagram: on the diagonal, the confidence equals the accuracy",
        "Reliability diagram: accuracy by confidence, before and after calibration.",
    ),
    Picture("samples.png", "Training images of each class", "Grid of training images, with a row for each class."),
    Picture(
        "sweep.png",
        "Result of each trial, by trial number and by each hyperparameter",
        "Scatter plots of the objective by trial number and by each searched hyperparameter.",
    ),
)


def pictures_among(files: Container[str], *, without: Container[str] = ()) -> list[Picture]:
    """The pictures that are among the files, the most important first."""
    return [picture for picture in PICTURES if picture.name in files and picture.name not in without]
