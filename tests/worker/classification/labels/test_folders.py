"""Which folder of an archive names the true class, where the classes are a model's."""

import pytest

from tenfold.trainer.files.class_names import ClassNames
from tenfold.worker.classification.labels.folders import FolderLabels, find_folder_labels

DIGITS = ClassNames(map(str, range(10)))


def truths(names: list[str], classes: ClassNames = DIGITS) -> list[str | None]:
    folders: dict[str, int] = {}
    for name in names:
        folder = name.replace("\\", "/").rpartition("/")[0]
        folders[folder] = folders.get(folder, 0) + 1
    truth = FolderLabels(find_folder_labels(folders, classes), classes)
    return [truth.of(name) for name in names]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["7/a.png"], ["7"]),
        (["set/7/a.png"], ["7"]),
        (["3/anna/x.png", "5/ben/y.png"], ["3", "5"]),
        (["3/anna/x.png", "5/y.png"], ["3", "5"]),
        (["anna/3/x.png", "ben/5/y.png"], ["3", "5"]),
        (["a.png"], [None]),
        (["7.png"], [None]),
        (["seven/a.png"], [None]),
        (["set\\7\\a.png"], ["7"]),
        (["unlabeled/a.png", "7/b.png"], [None, "7"]),
    ],
)
def test_the_level_that_names_classes_gives_the_truth(names: list[str], found: list[str | None]) -> None:
    assert truths(names) == found


def test_a_class_with_a_slash_is_met_in_a_folder_s_spelling() -> None:
    classes = ClassNames(["T-shirt/top", "Bag"])

    assert truths(["T-shirt_top/1.png", "T-shirt/top/2.png", "Bag/3.png"], classes) == [
        "T-shirt/top",
        "T-shirt/top",
        "Bag",
    ]


def test_letters_may_be_composed_or_not() -> None:
    assert truths(["Größe/1.png"], ClassNames(["Größe"])) == ["Größe"]


def test_an_older_plan_said_nothing_and_the_image_s_own_folder_counts() -> None:
    assert FolderLabels(None, DIGITS).of("a/7/x.png") == "7"


def test_what_was_taken_is_told() -> None:
    about = find_folder_labels({"digits/7/anna": 2, "digits/misc": 3}, DIGITS)

    assert about["where"] == "the folder '7' in 'digits/7/anna'"
    assert about["unmatched"] == {"digits/misc": 3}
    assert about["images_unmatched"] == 3
