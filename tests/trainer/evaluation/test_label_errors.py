"""Confident learning finds labels that are probably wrong."""

import numpy as np

from tenfold.trainer.evaluation.label_errors import Suspect, suspected_errors


def test_a_label_is_suspected_where_another_class_is_as_probable_as_in_its_own_images() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.05, 0.95], [0.45, 0.55]], np.float32)
    labels = np.array([0, 0, 1, 1, 0, 0], np.uint8)

    # The mean probability of class 1 among its own images is 0.8; the last image does not reach it.
    assert suspected_errors(probabilities, labels) == [Suspect(4, 1, 0.05, 0.95)]


def test_the_clearest_come_first() -> None:
    probabilities = np.array([[1, 0], [1, 0], [0, 1], [0.3, 0.7], [0, 1], [0.1, 0.9]], np.float32)
    labels = np.array([0, 0, 1, 1, 0, 0], np.uint8)

    assert [suspect.index for suspect in suspected_errors(probabilities, labels)] == [4, 5]


def test_a_class_without_images_is_never_suggested() -> None:
    probabilities = np.array([[0.1, 0.0, 0.9], [0.0, 0.2, 0.8]], np.float32)

    assert suspected_errors(probabilities, np.array([0, 1], np.uint8)) == []
