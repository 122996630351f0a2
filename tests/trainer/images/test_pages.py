"""Every page of a file of several is read; what is no page is not counted."""

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import page_count, read_image, read_pages
from tenfold.trainer.images.decoding import decode
from tests.pictures import file_of, is_seven, seven, shows_seven

PAPER = Image.fromarray(255 - seven()).convert("RGB")
BLANK = Image.new("RGB", PAPER.size, "white")
SEVERAL = {"TIFF": {}, "GIF": {}, "WEBP": {"lossless": True}, "PNG": {}, "PDF": {}, "AVIF": {"quality": 90}}


def several(format: str) -> bytes:
    """Three pages: empty, a 7, a 7 upside down."""
    upside_down = PAPER.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    # Pillow leaves settings of one format in the images that it saves.
    return file_of(BLANK.copy(), format, save_all=True, append_images=[PAPER.copy(), upside_down], **SEVERAL[format])


@pytest.mark.parametrize("format", SEVERAL)
def test_every_page_is_read(format: str) -> None:
    data = several(format)

    assert page_count(data) == 3
    assert [shows_seven(data, page) for page in range(3)] == [False, True, False]
    assert is_seven(decode(data, 2)[::-1])


@pytest.mark.parametrize("format", SEVERAL)
def test_several_pages_are_read_in_one_go(format: str) -> None:
    data = several(format)

    for page, read in zip((0, 1, 2), read_pages(data, range(3)), strict=True):
        assert np.array_equal(read, read_image(data, page))


@pytest.mark.parametrize("format", SEVERAL)
def test_a_page_that_is_not_there_is_refused(format: str) -> None:
    with pytest.raises(ImageUnreadable):
        decode(several(format), 3)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "WEBP", "PPM", "ICO", "JPEG2000", "TIFF", "GIF", "PDF"])
def test_an_image_has_one_page(format: str) -> None:
    assert page_count(file_of(PAPER, format)) == 1


def test_smaller_copies_in_a_tiff_are_no_pages() -> None:
    smaller_copy = TiffImagePlugin.ImageFileDirectory_v2()
    smaller_copy[254] = 1
    packed = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(packed, new=True) as file:
        for image, tags in ((PAPER.copy(), None), (PAPER.resize((20, 20)), smaller_copy), (BLANK.copy(), None)):
            image.save(file, "TIFF", tiffinfo=tags or TiffImagePlugin.ImageFileDirectory_v2())
            file.newFrame()

    assert page_count(packed.getvalue()) == 2
    assert decode(packed.getvalue(), 1).min() == 255


def test_what_cannot_be_opened_is_said_for_every_page() -> None:
    outcomes = list(read_pages(b"%PDF-1.4\nnothing", range(3)))

    assert [type(outcome) for outcome in outcomes] == [ImageUnreadable] * 3
