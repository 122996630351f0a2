"""An evaluation's figures, on answers small enough to count by hand."""

import tracemalloc

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model, on_logits
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.evaluation.accuracy import Evaluation, evaluate


@pytest.fixture
def by_hand() -> Evaluation:
    """Four images of three classes: the second and the last are mistakes, the last the more confident one."""
    return Evaluation(
        labels=np.array([0, 0, 1, 1]),
        predicted=np.array([0, 1, 1, 0]),
        probabilities=np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.2, 0.8, 0], [0.7, 0.3, 0]], np.float32),
        confusion=np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]),
        loss=0.5,
    )


def test_accuracy_and_the_figures_of_each_class(by_hand: Evaluation) -> None:
    assert by_hand.accuracy == 0.5
    assert by_hand.per_class()[0] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "images": 2}


def test_the_scores_are_those_of_their_definitions(by_hand: Evaluation) -> None:
    """The class without images does not count in the means."""
    assert by_hand.scores() == {
        "macro_f1": 0.5,
        "balanced_accuracy": 0.5,
        "nll": pytest.approx(-np.log([0.9, 0.4, 0.8, 0.3]).mean(), rel=1e-6),
        "brier": pytest.approx(np.mean([0.1**2 * 2, 0.6**2 * 2, 0.2**2 * 2, 0.7**2 * 2]), rel=1e-6),
    }


def test_precision_is_of_what_was_predicted_and_recall_of_what_is_there() -> None:
    """Of four zeros one is found; all three ones are found, among six that were taken for ones."""
    evaluation = Evaluation(
        labels=np.array([0, 0, 0, 0, 1, 1, 1]),
        predicted=np.array([0, 1, 1, 1, 1, 1, 1]),
        probabilities=np.full((7, 2), 0.5, np.float32),
        confusion=np.array([[1, 3], [0, 3]]),
        loss=0.7,
    )

    zero, one = evaluation.per_class()

    assert zero == {"precision": 1, "recall": 0.25, "f1": pytest.approx(0.4), "images": 4}
    assert one == {"precision": 0.5, "recall": 1, "f1": pytest.approx(2 / 3), "images": 3}
    assert evaluation.accuracy == pytest.approx(4 / 7)


def test_a_class_without_images_has_zeros_rather_than_nan(by_hand: Evaluation) -> None:
    assert by_hand.per_class()[2] == {"precision": 0, "recall": 0, "f1": 0, "images": 0}


def test_the_worst_mistake_is_the_most_confident_one(by_hand: Evaluation) -> None:
    assert by_hand.worst_mistakes(5).tolist() == [3, 1]
    assert by_hand.worst_mistakes(1).tolist() == [3]


def test_equally_confident_mistakes_keep_their_order() -> None:
    evaluation = Evaluation(
        labels=np.zeros(5, np.int64),
        predicted=np.array([1, 1, 0, 1, 1]),
        probabilities=np.array([[0.4, 0.6], [0.25, 0.75], [0.9, 0.1], [0.4, 0.6], [0.25, 0.75]], np.float32),
        confusion=np.array([[1, 4], [0, 0]]),
        loss=1.0,
    )

    assert evaluation.worst_mistakes(5).tolist() == [1, 4, 0, 3]


def test_a_row_of_the_confusion_is_a_true_class_and_a_column_a_predicted_one(digits: Dataset) -> None:
    model = build_model(Plan(units=(8,)), classes=10, seed=1, steps=1)
    *inner, bias = model.get_weights()
    model.set_weights([*inner, np.where(np.arange(10) == 3, 100, bias)])  # answers 3, whatever it is shown

    confusion = evaluate(model, digits.test_images, digits.test_labels).confusion

    assert confusion[:, 3].tolist() == np.bincount(digits.test_labels, minlength=10).tolist()
    assert confusion.sum() == confusion[:, 3].sum()


@pytest.mark.parametrize(
    "plan",
    [
        Plan(units=(8,), output_activation="sigmoid"),
        Plan(units=(8,), loss="categorical_crossentropy"),
        Plan(units=(8,), label_smoothing=0.1),
        Plan(filters=(2,), units=(), batch_normalization=True),
    ],
    ids=["sigmoid", "one-hot", "label smoothing", "convolutions"],
)
def test_a_model_is_evaluated_as_keras_does(plan: Plan, digits: Dataset) -> None:
    model = build_model(plan, classes=10, seed=1, steps=1)

    evaluation = evaluate(model, digits.test_images, digits.test_labels)

    scores = model.predict(digits.test_images / 255.0, verbose=0)
    assert (evaluation.predicted == scores.argmax(axis=1)).all()
    assert evaluation.confusion.sum() == len(digits.test_labels)
    assert evaluation.confusion.trace() == (evaluation.predicted == digits.test_labels).sum()
    target = keras.utils.to_categorical(digits.test_labels, 10) if plan.one_hot else digits.test_labels
    loss, accuracy = model.evaluate(digits.test_images / 255.0, target, verbose=0)
    assert evaluation.loss == pytest.approx(loss, rel=1e-5)
    assert evaluation.accuracy == pytest.approx(accuracy)
    np.testing.assert_allclose(evaluation.probabilities, scores / scores.sum(axis=1, keepdims=True), atol=1e-5)


def test_there_are_as_many_classes_as_the_model_has_outputs(animals: Dataset) -> None:
    """Also where none of the images is of the last one."""
    model = build_model(Plan(units=(8,), label_smoothing=0.1), classes=3, seed=1, steps=1)
    few = animals.test_labels < 2

    evaluation = evaluate(model, animals.test_images[few], animals.test_labels[few])

    assert evaluation.probabilities.shape == (few.sum(), 3)
    assert evaluation.confusion.shape == (3, 3)
    assert evaluation.per_class()[2]["images"] == 0
    assert np.isfinite(evaluation.loss)


def softmax_loss(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """The cross-entropy, in nats, of the softmax of what goes into the last layer's activation."""
    *_, kernel, bias = model.get_weights()
    hidden = keras.Model(model.inputs, model.layers[-1].input).predict(images / 255.0, verbose=0)
    logits = (hidden @ kernel + bias).astype(np.float64)
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]))


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_the_loss_of_sigmoid_outputs_is_that_of_the_softmax_of_what_goes_into_them(loss: str, digits: Dataset) -> None:
    plan = Plan(units=(16,), output_activation="sigmoid", loss=loss)
    model = build_model(plan, classes=10, seed=1, steps=1)

    measured = evaluate(model, digits.test_images, digits.test_labels)

    assert measured.loss == pytest.approx(softmax_loss(model, digits.test_images, digits.test_labels), rel=1e-5)
    assert model.layers[-1].activation is keras.activations.sigmoid
    assert model.loss == loss
    assert model.predict(digits.test_images[:5] / 255.0, verbose=0).max() < 1


def test_a_net_has_its_sigmoid_back_whatever_happens(digits: Dataset) -> None:
    model = build_model(
        Plan(units=(16,), output_activation="sigmoid", label_smoothing=0.1), classes=10, seed=1, steps=1
    )
    before = model.loss

    with pytest.raises(RuntimeError), on_logits(model):
        assert model.loss.get_config()["label_smoothing"] == 0.1
        raise RuntimeError

    assert model.layers[-1].activation is keras.activations.sigmoid
    assert model.loss is before


def test_an_evaluation_takes_little_memory_beyond_its_answers(digits: Dataset) -> None:
    """A copy of all images as floats would take 3,136 bytes an image; the answers take some 200."""
    model = build_model(Plan(units=(8,)), classes=10, seed=1, steps=1)

    def peak(images: int) -> int:
        many = np.broadcast_to(digits.test_images[:1], (images, 28, 28))
        labels = np.zeros(images, np.uint8)
        evaluate(model, many[:2000], labels[:2000])
        tracemalloc.start()
        evaluate(model, many, labels)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    assert peak(22_000) - peak(2000) < 20_000 * 400
