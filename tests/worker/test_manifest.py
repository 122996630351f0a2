"""What a manifest says of the images comes back beside their answers."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import ArchiveError
from worker.manifest import TRUTH, join_manifest, read_manifest


def rows_of(text: str, name: str = "manifest.csv") -> list[dict[str, str | None]]:
    return read_manifest(text.encode(), name).to_dicts()


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
    table = read_manifest("name;who\na.png;Jürgen\n".encode("latin-1"), "manifest.csv")

    assert table["who"].to_list() == ["Jürgen"]


def test_a_column_that_has_a_results_name_gets_another() -> None:
    assert rows_of("file,label,error,confidence\na.png,1,2,3") == [
        {"name": "a.png", TRUTH: "1", "manifest_error": "2", "manifest_confidence": "3"}
    ]


def test_of_two_lines_for_one_image_the_first_counts_and_empty_lines_do_not() -> None:
    assert rows_of("name,id\na.png,1\n,\n\na.png,2\n") == [{"name": "a.png", TRUTH: None, "id": "1"}]


def test_it_is_joined_in_the_order_of_the_rows_and_its_truth_wins() -> None:
    manifest = read_manifest(b"name,truth,id\nb.png,7,x\nzzz.png,1,y\n", "manifest.csv")
    rows = pl.LazyFrame({"name": ["a.png", "b.png", "b.png"], "truth": ["1", "2", None]})

    joined = join_manifest(rows, manifest.lazy()).collect()

    assert joined.to_dicts() == [
        {"name": "a.png", "truth": "1", "id": None},
        {"name": "b.png", "truth": "7", "id": "x"},
        {"name": "b.png", "truth": "7", "id": "x"},
    ]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "\n", "", 'name,x\n"a,3\n', "\0"])
def test_one_that_is_of_no_use_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ArchiveError, match=r"batch/manifest\.csv"):
        rows_of(text, "batch/manifest.csv")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_the_archives_own_error(data: bytes) -> None:
    try:
        table = read_manifest(b"name,id\n" + data, "manifest.csv")
    except ArchiveError:
        return
    assert table["name"].null_count() == 0
