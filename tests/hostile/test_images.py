"""Hostile images: read, or refused in words, within bounds of memory."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import normalize_all
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.pillow_files import FORMATS
from tests.hostile import images
from tests.hostile.measured import measured

MEBIBYTE = 2**20

# What reading one image may take, of whatever kind it is.
MAX_BYTES = 400 * MEBIBYTE


def kind_of_refusal(data: bytes) -> str:
    """The kind of error, or nothing where the image could be read."""
    try:
        normalize_all([decode(data)], "auto", "auto")
    except ImageUnreadable as error:
        return error.kind if str(error) else "no reason"
    return ""


def refusals(files: Iterable[bytes]) -> list[str]:
    return [kind_of_refusal(data) for data in files]


@pytest.mark.parametrize(("mode", "format"), images.MODES.items())
def test_a_picture_of_every_mode_shows_the_same_digit(mode: str, format: str) -> None:
    [normalized] = normalize_all([decode(images.saved(mode, format))], "auto", "auto")
    [plain] = normalize_all([decode(images.saved("L", "PNG"))], "auto", "auto")

    assert np.abs(normalized.pixels.astype(int) - plain.pixels).mean() < 8


def test_billions_of_pixels_are_refused_from_the_header() -> None:
    files = dict(images.too_large())
    assert all(len(data) < 2000 for data in files.values())

    found = measured(refusals, list(files.values()))

    told = dict(zip(files, found.value, strict=True))
    assert all(told.values()), told
    assert "no reason" not in told.values()
    assert told["png"] == told["wide png"] == told["png just beyond"] == "too_large"
    assert found.grown_bytes < 100 * MEBIBYTE


def test_a_chunk_gets_no_room_for_what_it_only_claims_to_hold() -> None:
    files = dict(images.large_chunks())

    found = measured(refusals, list(files.values()))

    assert "no reason" not in found.value
    assert found.grown_bytes < 100 * MEBIBYTE


def test_the_most_pixels_take_bounded_memory() -> None:
    side = 7_000
    data = images.png(side, side, pixels=bytes(side + 1) * side)

    found = measured(refusals, [data])

    assert found.value == [""]
    assert found.grown_bytes < MAX_BYTES


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_many_frames_the_first_alone_is_decoded(format: str) -> None:
    data = images.many_frames(format, 3_000)
    with Image.open(io.BytesIO(data)) as image:
        assert getattr(image, "n_frames", 1) > 500

    found = measured(refusals, [data])

    assert found.value == [""]
    assert found.grown_bytes < 100 * MEBIBYTE


def test_a_tiff_that_leads_in_a_circle_comes_to_an_end() -> None:
    assert kind_of_refusal(images.tiff_in_a_circle()) in ("", "damaged", "image")


def test_texts_and_profiles_are_not_unpacked_without_end() -> None:
    data = images.texts_that_unpack(64 * MEBIBYTE, 20)
    assert len(data) < 2 * MEBIBYTE

    found = measured(refusals, [data])

    assert found.grown_bytes < MAX_BYTES


@pytest.mark.parametrize("format", FORMATS.values())
def test_whatever_is_broken_is_read_or_refused_in_words(format: str) -> None:
    whole = images.saved("RGB", format)

    found = measured(refusals, list(images.broken(whole)))

    assert any(found.value)
    assert "no reason" not in found.value
    assert found.grown_bytes < MAX_BYTES
    assert found.files_left_open == 0


@pytest.mark.parametrize("kind", images.OTHER_KINDS)
def test_other_kinds_of_files_are_refused_however_they_are_named(kind: str) -> None:
    assert kind_of_refusal(images.OTHER_KINDS[kind])
    assert not Path("/tmp/tenfold-was-here").exists()


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG2000"])
def test_a_changed_size_in_a_newer_kind_takes_no_memory(kind: str) -> None:
    files = list(images.claiming_other_sizes(images.saved("RGB", kind)))
    assert files

    found = measured(refusals, files)

    assert "no reason" not in found.value
    assert found.grown_bytes < 100 * MEBIBYTE


def test_a_hostile_pdf_ends_with_its_own_process() -> None:
    found = measured(refusals, [images.pdf_that_draws_without_end(), images.pdf_of_a_page_as_large_as(10**7)])

    endless, large = found.value
    assert endless == "too_large"
    assert large in ("", "too_large")
    assert found.grown_bytes < 100 * MEBIBYTE
    assert found.files_left_open == 0
