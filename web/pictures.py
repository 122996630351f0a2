"""The pictures that a job or a model may have, and what each shows, in words for those who do not see it."""

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """`caption` stands below the picture; `alt` says what is to be seen on it."""

    name: str
    caption: str
    alt: str


PICTURES = (
    Picture(
        "curves.png", "Loss and accuracy by epoch", "Two line charts: loss and accuracy after each epoch, by split."
    ),
    Picture(
        "confidence.png",
        "How many answers have which confidence, and which of them go to review",
        "Histogram of the answers' confidence, with the threshold below which they go to review.",
    ),
    Picture(
        "uncertain.png",
        "The images that the model is least sure of, as it saw them",
        "Sheet of the least certain images, each with the two likeliest labels.",
    ),
    Picture(
        "confusion.png",
        "Images by true and predicted class",
        "Confusion matrix: true classes in rows, predicted ones in columns; right answers lie on the diagonal.",
    ),
    Picture(
        "mistakes.png",
        "The worst mistakes: wrong answers that the model was surest of",
        "Sheet of wrongly answered test images, each with its true and its predicted label and the confidence.",
    ),
    Picture(
        "predictions.png",
        "Test images, taken at random, and what the model takes them for",
        "Sheet of test images, each with its true and its predicted label.",
    ),
    Picture(
        "reliability.png",
        "Accuracy by confidence: on the diagonal, the model is as sure as it may be",
        "Reliability diagram: accuracy of the answers by their confidence, before and after calibration.",
    ),
    Picture("samples.png", "Training images of each class", "Sheet of training images, a row for each class."),
    Picture(
        "sweep.png",
        "What each trial reached, by its number and by the value of each hyper-parameter",
        "Scatter plots of the objective: by trial, and by each hyper-parameter that was searched.",
    ),
)


def pictures_among(files: Container[str], *, without: Container[str] = ()) -> list[Picture]:
    """The pictures that are among the files, in the order in which they are worth looking at."""
    return [picture for picture in PICTURES if picture.name in files and picture.name not in without]
