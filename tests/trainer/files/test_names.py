"""What names of files and folders tell: their text, whether a system left them behind, and which class they mean."""

import struct
import unicodedata
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.files.system_files import is_system_path
from tenfold.trainer.files.class_names import ClassNames, folder_name, folder_names
from tenfold.trainer.files.truth_folders import TruthLevel, find_truth
from tenfold.trainer.files.zip_names import NAME_IS_UTF8, decode_zip_name

JAPANESE = (
    "表7.png",
    "検針表.png",
    "メーター3.png",
    "ソ.png",
    "能.jpg",
    "予備表/7/a.png",
    "一1.png",
    "二2.png",
    "十0.png",
    "あ/1.png",
)
WESTERN = ("Größe/1.png", "zéro/1.png", "trëma.png", "año/ñandú/é.png", "ÄÖÜ/x.png", "façade.png")

# Names of zips


@pytest.mark.parametrize("name", [*JAPANESE, *WESTERN, "plain/7.png", "零/1.png"])
def test_utf8_is_read_with_its_flag_and_without(name: str) -> None:
    assert decode_zip_name(name.encode(), NAME_IS_UTF8, b"") == name
    assert decode_zip_name(name.encode(), 0, b"") == name


@pytest.mark.parametrize("name", JAPANESE)
def test_code_page_932_is_read_also_where_half_of_a_character_is_a_backslash(name: str) -> None:
    assert decode_zip_name(name.encode("cp932"), 0, b"") == name


@pytest.mark.parametrize("name", WESTERN)
def test_code_page_437_is_read(name: str) -> None:
    assert decode_zip_name(name.encode("cp437"), 0, b"") == name


def test_backslashes_between_western_folders_stay_separators() -> None:
    assert decode_zip_name("Größe\\café\\1.png".encode("cp437"), 0, b"") == "Größe\\café\\1.png"


@pytest.mark.parametrize("encoding", ["gbk", "big5"])
def test_half_a_character_of_another_encoding_is_no_separator(encoding: str) -> None:
    stored = {"gbk": b"\xc1\x5c\x81\x5c", "big5": "功許蓋".encode("big5")}[encoding] + b"/7.png"
    name = decode_zip_name(stored, 0, b"")

    assert name.replace("\\", "/").count("/") == 1
    assert name.endswith("/7.png")


def test_the_name_in_info_zips_extra_field_is_taken_where_its_checksum_is_right() -> None:
    stored = b"\x82\x9c.png"
    content = b"\1" + struct.pack("<L", zlib.crc32(stored)) + "検.png".encode()
    field = struct.pack("<HH", 0x7075, len(content)) + content

    assert decode_zip_name(stored, 0, b"\x55\x54\x01\0x" + field) == "検.png"
    assert decode_zip_name(stored[1:], 0, field) != "検.png"


@given(st.binary(max_size=60), st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_any_bytes_give_a_name_that_ends_at_the_first_zero_byte(stored: bytes, flags: int, extra: bytes) -> None:
    assert "\0" not in decode_zip_name(stored, flags, extra)


# What systems leave behind


@pytest.mark.parametrize(
    "path",
    [
        ".DS_Store", "7/.hidden.png", "7/.ipynb_checkpoints/a-checkpoint.png", "7/@eaDir/x.png/SYNOPHOTO_THUMB_M.jpg",
        ".thumbnails/x.png", "__MACOSX/7/._x.png", "a/.git/x.png", "#recycle/7/x.png", "$RECYCLE.BIN/S-1/7/x.png",
        "lost+found/x.png", "7\\Thumbs.db", "System Volume Information/x", "@Recycle/7/x.png", ".data/7/x.png",
    ],
)  # fmt: skip
def test_hidden_files_and_folders_are_a_systems_own(path: str) -> None:
    assert is_system_path(path)


@pytest.mark.parametrize(
    "path", ["7/x.png", "./7/x.png", "../7/x.png", "a.b/x.png", "7", "recycle/x.png", "x..png", ""]
)
def test_others_are_a_persons_own(path: str) -> None:
    assert not is_system_path(path)


# Classes


FASHION = ("T-shirt/top", "Trouser", "Dress", "Ankle boot")


@pytest.mark.parametrize("folder", ["T-shirt/top", "T-shirt_top", "T-shirt-top", "T-shirt top", "T-shirttop"])
def test_a_class_with_a_slash_is_found_by_every_spelling_that_a_folder_can_have(folder: str) -> None:
    assert ClassNames(FASHION).of_folder(folder) == "T-shirt/top"


def test_a_spelling_that_is_another_class_or_of_two_is_not_taken_for_one() -> None:
    classes = ClassNames(["a/b", "a_b", "a:b"])

    assert classes.of_folder("a_b") == "a_b"
    assert classes.of_folder("a-b") is None
    assert classes.of_folder("a b") is None


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8), unique=True))
def test_each_class_gets_a_folder_of_its_own_that_means_it(names: list[str]) -> None:
    names = list(dict.fromkeys(unicodedata.normalize("NFC", name) for name in names))
    folders = folder_names(names)

    assert len(set(folders)) == len(folders) or any(folder.endswith(")") for folder in folders)
    for name, folder in zip(names, folders, strict=True):
        assert not set(folder) & set('/\\:*?"<>|')
        if folder == name or (folders.count(folder) == 1 and folder not in names):
            assert ClassNames(names).of_folder(folder) == name


@pytest.mark.parametrize("name", [".", "..", "...", "/", "a.", "con/x", "x\0y"])
def test_no_folder_name_leads_elsewhere(name: str) -> None:
    assert Path(folder_name(name)).name == folder_name(name)


@pytest.mark.parametrize("cell", ["7", " 7 ", "07", "7.0", "007.00", "+7"])
def test_a_cell_may_spell_a_number_otherwise(cell: str) -> None:
    assert ClassNames("0123456789").of_cell(cell) == "7"


@pytest.mark.parametrize("cell", ["seven", "7.5", "-7", "77", "", "5b", "nan"])
def test_a_cell_that_is_no_class_is_none(cell: str) -> None:
    assert ClassNames("0123456789").of_cell(cell) is None


def test_a_folder_is_not_read_as_a_number() -> None:
    assert ClassNames("0123456789").of_folder("007") is None


def test_names_in_unicodes_other_form_are_the_same_class() -> None:
    assert ClassNames(["zéro"]).of_folder(unicodedata.normalize("NFD", "zéro")) == "zéro"


# Which folder gives the truth


@pytest.mark.parametrize(
    ("form", "level"),
    [
        ("{}", TruthLevel(True, 0)),
        ("test/{}", TruthLevel(True, 1)),
        ("{}/anna", TruthLevel(True, 0)),
        ("a/{}/anna/b", TruthLevel(True, 1)),
        ("a\\{}\\b", TruthLevel(True, 1)),
        ("./{}", TruthLevel(True, 0)),
    ],
)
def test_the_level_whose_folders_are_classes_gives_the_truth(form: str, level: TruthLevel) -> None:
    classes = ClassNames("0123456789")
    folders = {form.format(digit): 3 for digit in "0123456789"}

    truth = find_truth(folders, classes)

    assert (truth.level, truth.labeled, truth.images, truth.doubtful) == (level, 30, 30, "")
    for digit, folder in zip("0123456789", folders, strict=True):
        assert level.label(folder, classes) == digit


def test_folders_of_different_depth_are_counted_from_the_image_where_that_labels_more() -> None:
    truth = find_truth({"7": 2, "a/8": 2, "a/b/9": 2, "c": 1, "": 1}, ClassNames("0123456789"))

    assert (truth.level, truth.labeled, truth.images) == (TruthLevel(False, 0), 6, 8)


def test_the_level_nearest_the_top_is_taken_of_two_and_the_doubt_is_told() -> None:
    truth = find_truth({"3/5": 2, "4/4": 2}, ClassNames("0123456789"))

    assert truth.level == TruthLevel(True, 0)
    assert truth.doubtful == "3/5"
    assert truth.level.describe("3/5") == "the folder '3' in '3/5'"


def test_a_class_with_a_slash_may_be_two_folders() -> None:
    classes = ClassNames(FASHION)
    truth = find_truth({"x/T-shirt/top": 2, "x/Dress": 2}, classes)

    assert truth.labeled == 4
    assert truth.level is not None
    assert truth.level.label("x/T-shirt/top", classes) == "T-shirt/top"


def test_without_classes_there_is_no_truth() -> None:
    truth = find_truth({"scans": 5, "": 2}, ClassNames("0123456789"))

    assert (truth.level, truth.labeled, truth.images, truth.example) == (None, 0, 7, "")
