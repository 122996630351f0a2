"""What is drawn for an image stays within its bounds, and the pixels go where it says."""

import keras
import numpy as np
import numpy.typing as npt
import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.augmentation import (
    ELASTIC_GRID,
    ELASTIC_PIXELS,
    ELASTIC_SIGMA_PIXELS,
    ROTATION_DEGREES,
    SCALE,
    SHEAR,
    SHIFT_PIXELS,
    distort,
    draw_distortions,
)
from tenfold.trainer.training.loop import train
from tests.trainer.trainings import SMALL

Floats = npt.NDArray[np.float32]

IDENTITY = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


@pytest.fixture
def images(digits: Dataset) -> Floats:
    return digits.train_images[:12].astype(np.float32) / 255


def still(count: int) -> Floats:
    """No bends."""
    return np.zeros((count, 2, ELASTIC_GRID, ELASTIC_GRID), np.float32)


def moved(images: Floats, affine: Floats, bends: Floats | None = None) -> Floats:
    """What comes out, with the same affine map for all images where there is one only."""
    maps = np.broadcast_to(affine, (len(images), 2, 3)).astype(np.float32)
    return np.asarray(keras.ops.convert_to_numpy(distort(images, maps, still(len(images)) if bends is None else bends)))


def shifted_by(rows: float, columns: float) -> Floats:
    return np.array([[1, 0, rows], [0, 1, columns]], np.float32)


def test_the_identity_gives_the_images_back_exactly(images: Floats) -> None:
    assert (moved(images, IDENTITY) == images).all()


def test_a_shift_of_whole_pixels_moves_them_and_what_comes_in_is_0(images: Floats) -> None:
    """Each pixel of the result shows the one that lies 3 rows further down and 5 columns further left."""
    ink = images + 0.25

    result = moved(ink, shifted_by(3, -5))

    assert (result[:, :-3, 5:] == ink[:, 3:, :-5]).all()
    assert (result[:, -3:, :] == 0).all()
    assert (result[:, :, :5] == 0).all()


def test_half_a_pixel_is_the_mean_of_two(images: Floats) -> None:
    result = moved(images, shifted_by(0, 0.5))

    np.testing.assert_allclose(result[:, :, :-1], (images[:, :, :-1] + images[:, :, 1:]) / 2, atol=1e-6)
    np.testing.assert_allclose(result[:, :, -1], images[:, :, -1] / 2, atol=1e-6)


@pytest.mark.parametrize("shift", [(28, 0), (0, -28), (1000, 1000), (-1e6, 3)])
def test_what_leaves_the_image_altogether_is_0(shift: tuple[float, float]) -> None:
    assert (moved(np.ones((2, 28, 28), np.float32), shifted_by(*shift)) == 0).all()


def test_a_quarter_turn_is_that_of_numpy(images: Floats) -> None:
    quarter = np.array([[0, 1, 0], [-1, 0, 0]], np.float32)

    np.testing.assert_allclose(moved(images, quarter), np.rot90(images, axes=(1, 2)), atol=1e-5)


def test_each_image_is_moved_as_is_drawn_for_it(images: Floats) -> None:
    maps = np.stack([shifted_by(number - 6, 0) for number in range(12)])

    together = moved(images, maps)

    for number in range(12):
        assert (together[number] == moved(images[number : number + 1], maps[number])[0]).all()


@pytest.mark.parametrize("kind", ["affine", "elastic"])
def test_pixels_are_those_of_a_slow_calculation(kind: str, images: Floats) -> None:
    affine, bends = draw_distortions(kind, len(images), np.random.default_rng(4))

    result = moved(images, affine, bends)

    assert np.abs(result - images).max() > 0.5, "there is something to compare"
    for number in range(4):
        np.testing.assert_allclose(result[number], slowly(images[number], affine[number], bends[number]), atol=1e-4)


def slowly(image: Floats, affine: Floats, bends: Floats) -> Floats:
    """The same, pixel by pixel and in double precision."""
    result = np.zeros((28, 28), np.float32)
    for row, column in np.ndindex(28, 28):
        bend = bend_at(bends.astype(float), row, column)
        at = affine.astype(float) @ [row - 13.5, column - 13.5, 1] + 13.5 + bend
        top, left = np.floor(at).astype(int)
        for r, c in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            if 0 <= r < 28 and 0 <= c < 28:
                result[row, column] += image[r, c] * (1 - abs(at[0] - r)) * (1 - abs(at[1] - c))
    return result


def bend_at(bends: npt.NDArray[np.float64], row: int, column: int) -> npt.NDArray[np.float64]:
    """The displacement of a pixel: a mean of the grid's, by Gaussian distance, whose squared weights sum to 1."""
    lines = np.arange(ELASTIC_GRID) * 27 / (ELASTIC_GRID - 1)
    weights = np.exp(-((row - lines[:, None]) ** 2 + (column - lines[None, :]) ** 2) / (2 * ELASTIC_SIGMA_PIXELS**2))
    total = (bends * weights).sum(axis=(1, 2))
    return np.asarray(total / np.sqrt((weights**2).sum()))


def test_bends_displace_a_pixel_by_what_is_declared() -> None:
    """On an image that is as light as its row is low, lightness tells where a pixel comes from."""
    ramp = np.broadcast_to(np.arange(28, dtype=np.float32)[:, None], (2000, 28, 28))
    _, bends = draw_distortions("elastic", 2000, np.random.default_rng(4))

    displaced = (moved(ramp, IDENTITY, bends) - ramp)[:, 6:22, 6:22]

    assert displaced.std() == pytest.approx(ELASTIC_PIXELS, rel=0.03)
    assert displaced.mean() == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("kind", ["affine", "elastic"])
def test_a_result_is_within_the_range_of_the_images(kind: str, digits: Dataset) -> None:
    images = digits.train_images[:500].astype(np.float32) / 255

    result = moved(images, *draw_distortions(kind, 500, np.random.default_rng(4)))

    assert result.min() >= 0
    assert result.max() <= 1 + 1e-6
    assert result.mean() == pytest.approx(images.mean(), rel=0.05), "ink is moved, and neither lost nor made"


@pytest.mark.parametrize("kind", ["affine", "elastic"])
def test_the_generator_decides_what_is_drawn(kind: str) -> None:
    first, again, other = (draw_distortions(kind, 9, np.random.default_rng(seed)) for seed in (4, 4, 5))

    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()
    assert [part.shape for part in first] == [(9, 2, 3), (9, 2, ELASTIC_GRID, ELASTIC_GRID)]
    assert {part.dtype for part in first} == {np.dtype(np.float32)}


def test_elastic_is_affine_with_bends() -> None:
    affine, none = draw_distortions("affine", 9, np.random.default_rng(4))
    same, bends = draw_distortions("elastic", 9, np.random.default_rng(4))

    assert (affine == same).all()
    assert (none == 0).all()
    assert (bends != 0).all()


def test_turns_shears_scales_and_shifts_fill_their_ranges_and_stay_within() -> None:
    affine = draw_distortions("affine", 20_000, np.random.default_rng(4))[0].astype(float)
    rows, columns = affine[:, 0], affine[:, 1]
    turn = np.arctan2(-rows[:, 1], rows[:, 0])
    along, across = np.stack([np.sin(turn), np.cos(turn)]), np.stack([np.cos(turn), -np.sin(turn)])
    scale = (columns[:, :2].T * along).sum(axis=0)
    shear = (columns[:, :2].T * across).sum(axis=0) / scale

    drawn = {
        "turn": (np.degrees(turn), ROTATION_DEGREES),
        "row scale": (np.log(np.hypot(rows[:, 0], rows[:, 1])), SCALE),
        "column scale": (np.log(scale), SCALE),
        "shear": (shear, SHEAR),
        "row shift": (rows[:, 2], SHIFT_PIXELS),
        "column shift": (columns[:, 2], SHIFT_PIXELS),
    }

    for name, (values, bound) in drawn.items():
        assert values.min() == pytest.approx(-bound, rel=0.01), name
        assert values.max() == pytest.approx(bound, rel=0.01), name
        assert np.abs(values).max() <= bound * (1 + 1e-5), name
        assert values.mean() == pytest.approx(0, abs=bound * 0.03), name


@pytest.mark.parametrize("kind", ["none", "affine"])
def test_images_are_distorted_anew_in_each_epoch(kind: str, whole_batches: Dataset) -> None:
    """A net that learns next to nothing sees the same loss again on the same images, and another one on others."""
    parameters = TrainingParameters(**SMALL, learning_rate=1e-12, epochs=2, augmentation=kind)

    first, second = (result.loss for result in train(parameters, whole_batches).history)

    assert (abs(first - second) < 1e-5) == (kind == "none")


def test_distortions_of_larger_images_are_larger_in_proportion() -> None:
    digit = np.zeros((1, 56, 84), np.float32)
    digit[0, 20, 30] = 1

    assert moved(digit, shifted_by(2, 3))[0, 16, 21] == pytest.approx(1)


def test_a_color_image_is_moved_as_its_channels_are_and_continues_with_its_border() -> None:
    random = np.random.default_rng(1)
    color = random.random((3, 20, 24, 3)).astype(np.float32)
    affine, bends = draw_distortions("elastic", 3, random)
    result = np.asarray(keras.ops.convert_to_numpy(distort(color, affine, bends)))
    plain = np.asarray(keras.ops.convert_to_numpy(distort(color[..., 1], affine, bends)))
    inside = np.zeros(plain.shape, bool)
    inside[:, 6:-6, 6:-6] = True

    np.testing.assert_allclose(result[..., 1][inside], plain[inside], atol=1e-5)
    shifted = moved(np.full((1, 20, 24, 3), 0.5, np.float32), shifted_by(9, 9))
    np.testing.assert_allclose(shifted, 0.5, atol=1e-6)


def test_outside_a_scaled_gray_image_is_paper() -> None:
    paper = np.full((2, 28, 28), -1, np.float32)
    maps = np.broadcast_to(shifted_by(9, 9), (2, 2, 3)).astype(np.float32)

    result = np.asarray(keras.ops.convert_to_numpy(distort(paper, maps, still(2), outside=-1.0)))
    np.testing.assert_allclose(result, -1, atol=1e-6)
