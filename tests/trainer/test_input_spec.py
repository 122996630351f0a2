"""A model's declared input: valid values, shapes, scaling, and its record."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.trainer.errors import InputUnsupported
from tenfold.trainer.input_spec import DIGIT, MAX_SIDE, MIN_SIDE, InputSpec

SIDES = st.integers(MIN_SIDE, MAX_SIDE)


@st.composite
def specs(draw: st.DrawFn) -> InputSpec:
    preprocessing = draw(st.sampled_from(["digit", "resize", "none"]))
    return InputSpec(
        preprocessing,
        draw(SIDES),
        draw(SIDES),
        1 if preprocessing == "digit" else draw(st.sampled_from([1, 3])),
        draw(st.sampled_from(["0-1", "-1-1", "0-255"])),
        draw(st.sampled_from(["upright", "transposed"])),
        draw(st.text(max_size=20)),
    )


@given(specs())
def test_a_spec_survives_json(spec):
    read = InputSpec.read(json.loads(json.dumps(spec.as_dict())))

    assert read == spec
    assert read.reason == spec.reason


@given(specs())
def test_images_of_its_shape_become_the_networks_input(spec):
    images = np.zeros((2, *spec.shape), np.uint8)

    assert spec.oriented(images).shape == (2, *spec.network_shape)
    assert sorted(spec.network_shape) == sorted(spec.shape)


@pytest.mark.parametrize(("scaling", "black", "white"), [("0-1", 0.0, 1.0), ("-1-1", -1.0, 1.0), ("0-255", 0.0, 255.0)])
def test_pixels_are_scaled_to_the_declared_range(scaling, black, white):
    scaled = InputSpec(scaling=scaling).scaled(np.array([0, 255], np.float32))

    assert scaled.tolist() == [black, white]
    assert scaled.dtype == np.float32


def test_a_transposed_network_takes_rows_as_columns():
    images = np.arange(8 * 9, dtype=np.uint8).reshape(1, 8, 9)
    spec = InputSpec("resize", 8, 9, orientation="transposed")

    assert (spec.oriented(images)[0] == images[0].T).all()


def test_without_fields_it_is_mnists():
    assert InputSpec.read({}) == DIGIT
    assert DIGIT.shape == (28, 28)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("height", 7),
        ("width", 129),
        ("height", 28.0),
        ("width", "28"),
        ("height", True),
        ("channels", 2),
        ("channels", None),
        ("preprocessing", "crop"),
        ("scaling", "0-2"),
        ("orientation", "upside-down"),
        ("preprocessing", ["digit"]),
    ],
)
def test_an_invalid_value_is_refused_by_name(field, value):
    with pytest.raises(InputUnsupported, match=f"Input {field} "):
        InputSpec.read({field: value})


def test_the_digit_normalizer_is_for_gray():
    with pytest.raises(InputUnsupported, match="gray"):
        InputSpec("digit", channels=3)


def test_an_unknown_field_is_refused():
    with pytest.raises(InputUnsupported, match="depth"):
        InputSpec.read({"depth": 16})
