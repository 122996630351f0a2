"""What a manifest says of the images comes back beside their answers."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.trainer.files.class_names import ClassNames
from tenfold.worker.classification.labels.manifest import TRUTH, read_manifest
from tenfold.worker.classification.labels.matching import match_manifest
from tenfold.worker.errors import ArchiveError

CLASSES = ClassNames(str(digit) for digit in range(10))


def rows_of(text: str, name: str = "manifest.csv") -> list[dict[str, str | None]]:
    return read_manifest(text.encode(), name, CLASSES).rows.to_dicts()


def test_its_columns_are_kept_as_text() -> None:
    assert rows_of("name,truth,form\na.png,7,0012\nb.png,,x y\n") == [
        {"name": "a.png", TRUTH: "7", "form": "0012"},
        {"name": "b.png", TRUTH: None, "form": "x y"},
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_usual_delimiter_will_do(delimiter: str, end: str) -> None:
    lines = [delimiter.join(cells) for cells in (["Digit", "File ", "id"], ["3", "a.png", "9"])]

    assert rows_of(end.join(lines)) == [{"name": "a.png", TRUTH: "3", "id": "9"}]


@pytest.mark.parametrize("written", ["batch/a.png", "a.png", "./a.png", "batch\\a.png"])
def test_names_are_from_the_archives_root_or_from_its_own_folder(written: str) -> None:
    assert rows_of(f"image\n{written}", "batch/manifest.csv")[0]["name"] == "batch/a.png"


def test_it_may_be_written_by_an_old_spreadsheet() -> None:
    table = read_manifest("name;who\na.png;Jürgen\n".encode("latin-1"), "manifest.csv", CLASSES).rows

    assert table["who"].to_list() == ["Jürgen"]


def test_a_column_that_has_a_results_name_gets_another() -> None:
    assert rows_of("file,label,error,confidence\na.png,1,2,3") == [
        {"name": "a.png", TRUTH: "1", "manifest_error": "2", "manifest_confidence": "3"}
    ]


def test_of_two_lines_for_one_image_the_first_counts_and_empty_lines_do_not() -> None:
    assert rows_of("name,id\na.png,1\n,\n\na.png,2\n") == [{"name": "a.png", TRUTH: None, "id": "1"}]


def test_it_is_joined_in_the_order_of_the_rows_and_its_truth_wins() -> None:
    manifest = read_manifest(b"name,truth,id\nb.png,7,x\nzzz.png,1,y\n", "manifest.csv", CLASSES)
    rows = pl.LazyFrame({"name": ["a.png", "b.png", "b.png"], "true_label": ["1", "2", None]})

    joined = match_manifest(rows, manifest.rows, CLASSES, manifest.true_label_column).rows.collect()

    assert joined.to_dicts() == [
        {"name": "a.png", "true_label": "1", "id": None},
        {"name": "b.png", "true_label": "7", "id": "x"},
        {"name": "b.png", "true_label": "7", "id": "x"},
    ]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "\n", "", 'name,x\n"a,3\n', "\0"])
def test_one_that_is_of_no_use_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ArchiveError, match=r"batch/manifest\.csv"):
        rows_of(text, "batch/manifest.csv")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_the_archives_own_error(data: bytes) -> None:
    try:
        table = read_manifest(b"name,id\n" + data, "manifest.csv", CLASSES).rows
    except ArchiveError:
        return
    assert table["name"].null_count() == 0


def matched(text: str, names: list[str], file: str = "manifest.csv") -> tuple[list[str | None], dict[str, Any]]:
    """The truths of the images with these names, and how much of the manifest was of use."""
    manifest = read_manifest(text.encode(), file, CLASSES)
    rows = pl.LazyFrame({"name": names, "true_label": None}, schema={"name": pl.String, "true_label": pl.String})
    found = match_manifest(rows, manifest.rows, CLASSES, manifest.true_label_column)
    return found.rows.collect()["true_label"].to_list(), found.about


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("IMG_1.PNG", "img_1.png"),
        ("scans/img_1.png", "img_1.png"),
        (r"C:\scans\march\img_1.png", "march/img_1.png"),
        ("img_1.png", "march/img_1.png"),
        ("img_1", "march/img_1.png"),
        ("za\u0308hler.png", "z\u00e4hler.png"),
        ("z\u00e4hler.png", "za\u0308hler.png"),
        ("img_1.png", "set\\img_1.png"),
    ],
    ids=["case", "folder", "Windows", "no folder", "no suffix", "NFD", "NFC", "backslash"],
)
def test_a_name_is_found_however_it_is_written(written: str, name: str) -> None:
    truths, about = matched(f"name,truth\n{written},7\n", [name, "other.png"])

    assert truths == ["7", None]
    assert (about["matched_rows"], about["images_matched"]) == (1, 1)


def test_a_name_that_may_mean_several_images_means_none() -> None:
    truths, about = matched("name,truth\n1.png,7\n", ["a/1.png", "b/1.png"])

    assert truths == [None, None]
    assert about["unmatched_names"] == ["1.png"]


def test_two_rows_that_may_mean_one_image_mean_none_unless_one_names_it() -> None:
    assert matched("name,truth\na/1.png,7\nb/1.png,8\n", ["1.png"])[0] == [None]
    assert matched("name,truth\na/1.png,7\nb/1.png,8\n", ["b/1.png"])[0] == ["8"]


def test_a_row_for_a_file_is_about_all_its_pages_and_one_for_a_page_about_that() -> None:
    assert matched("name,truth\nscan.tif,7\n", ["scan.tif#1", "scan.tif#2"])[0] == ["7", "7"]
    assert matched("name,truth\nscan.tif#2,7\n", ["scan.tif#1", "scan.tif#2"])[0] == [None, "7"]


@pytest.mark.parametrize("written", ["7", "7.0", "07", " 7", "007"])
def test_a_truth_is_a_class_by_its_number(written: str) -> None:
    assert matched(f"name,truth\na.png,{written}\n", ["a.png"])[0] == ["7"]


def test_a_truth_that_is_no_class_is_counted_and_kept_as_it_was_written() -> None:
    manifest = read_manifest(b"name,label\na.png,5b\nb.png,7\n", "manifest.csv", CLASSES)
    rows = pl.LazyFrame({"name": ["a.png", "b.png"], "true_label": ["5", "5"]})

    found = match_manifest(rows, manifest.rows, CLASSES, manifest.true_label_column)

    assert found.rows.collect().to_dicts() == [
        {"name": "a.png", "true_label": None, "manifest_label": "5b"},
        {"name": "b.png", "true_label": "7", "manifest_label": "7"},
    ]
    assert (found.about["unknown_labels"], found.about["images_with_unknown_label"]) == ({"5b": 1}, 1)


def test_where_no_truth_is_a_class_the_folders_keep_theirs() -> None:
    manifest = read_manifest(b"name,label\n7/a.png,seven\n", "manifest.csv", CLASSES)
    rows = pl.LazyFrame({"name": ["7/a.png"], "true_label": ["7"]})

    found = match_manifest(rows, manifest.rows, CLASSES, manifest.true_label_column)

    assert found.rows.collect()["true_label"].to_list() == ["7"]
    assert found.about["unknown_labels"] == {"seven": 1}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("name,class\na.png,5b\nb.png,6c\n", None),
        ("name,class\na.png,5\nb.png,6\n", "class"),
        ("name,class,label\na.png,5,7\n", "label"),
        ("name,pupil\na.png,5\n", None),
    ],
)
def test_a_column_class_is_the_truth_only_where_all_its_cells_are_classes(text: str, column: str | None) -> None:
    manifest = read_manifest(text.encode(), "manifest.csv", CLASSES)

    assert manifest.true_label_column == column
    assert column or set(manifest.rows.columns) > {"name", TRUTH}


@pytest.mark.parametrize("text", ["a.png,7\nb.png,8\n", "7;a.png\n8;b.png\n", "a.png 7\nb.png 8\n"])
def test_without_a_header_columns_are_known_by_their_content(text: str) -> None:
    truths, _ = matched(text, ["a.png", "b.png"], "labels.txt")

    assert truths == ["7", "8"]
    assert not read_manifest(text.encode(), "labels.txt", CLASSES).has_header


def test_a_column_without_a_known_name_that_holds_names_of_images_names_them() -> None:
    assert matched("Datei,truth\na.png,7\n", ["a.png"])[0] == ["7"]


def test_utf_16_is_read_as_spreadsheets_write_it() -> None:
    manifest = read_manifest("name;truth\na.png;7\n".encode("utf-16"), "manifest.csv", CLASSES)

    assert manifest.rows[TRUTH].to_list() == ["7"]


def test_rows_that_name_an_image_again_are_counted() -> None:
    assert read_manifest(b"name,truth\na.png,7\na.png,8\n", "manifest.csv", CLASSES).duplicate_rows == 1
