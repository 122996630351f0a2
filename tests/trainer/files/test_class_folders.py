"""Which folders are classes and which are parts of a split, over archives as people pack them."""

from collections.abc import Iterable, Mapping

import pytest

from tenfold.trainer.files.class_folders import Layout, find_layout
from tenfold.trainer.files.splits import Part, part_named

DIGITS = "0123456789"
WORDS = ("cat", "dog", "bird")


def below(*tops: str, classes: Iterable[str] = DIGITS, images: int = 5) -> dict[str, int]:
    return {f"{top}/{name}": images for top in tops for name in classes}


def classes_of(layout: Layout, part: Part | None) -> set[str]:
    return {place.label for place in layout.places.values() if place.label and place.part is part}


def left_out(layout: Layout) -> set[str]:
    return {path for path, place in layout.places.items() if not place.label}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
        ("Training", "Testing"),
        ("train_set", "test_set"),
        ("TrainSet", "TestSet"),
        ("trainingSet", "testSet"),
        ("trainset", "testset"),
        ("train data", "test data"),
        ("train-images", "test-images"),
        ("train_images", "valid_images"),
        ("traindata", "testdata"),
        ("train", "val"),
        ("train", "valid"),
        ("train", "validation"),
        ("train", "dev"),
        ("train", "eval"),
        ("train2017", "val2017"),
        ("mnist_train", "mnist_test"),
        ("digits-train", "digits-test"),
        ("Training", "PublicTest"),
        ("01_train", "02_test"),
    ],
)
@pytest.mark.parametrize(
    "form", ["{part}/{name}", "data/{part}/{name}", "a/b/{part}/{part}/{name}", "{name}/{part}", "a/{name}/{part}/x"]
)
@pytest.mark.parametrize("classes", [DIGITS, WORDS], ids=["digits", "words"])
def test_a_split_is_found_however_it_is_spelled_and_wherever_it_lies(
    train: str, test: str, form: str, classes: Iterable[str]
) -> None:
    names = {form.format(part=part, name=name): (part, name) for part in (train, test) for name in classes}

    layout = find_layout(dict.fromkeys(names, 5))

    for path, (part, name) in names.items():
        assert layout.places[path].label == name
        assert layout.places[path].part is (Part.TRAIN if part == train else Part.TEST)
    assert train in layout.split
    assert test in layout.split


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_with_three_parts_the_validation_images_are_for_training_and_it_is_said(name: str) -> None:
    layout = find_layout(below("rf/train", f"rf/{name}", "rf/test"))

    assert {layout.places[f"rf/{name}/{digit}"].part for digit in DIGITS} == {Part.TRAIN}
    assert f"validation images ({name}) were added to the training images" in layout.split


@pytest.mark.parametrize("top", ["train", "x/train", "test", "mnist_test", "val"])
def test_one_part_alone_is_no_split(top: str) -> None:
    layout = find_layout(below(top))

    assert classes_of(layout, None) == set(DIGITS)
    assert layout.split == ""


@pytest.mark.parametrize(
    ("folders", "classes", "without"),
    [
        (below("."), DIGITS, ()),
        (below("mnist"), DIGITS, ()),
        (below("a/b/c"), DIGITS, ()),
        ({f"digits/{digit}/{writer}": 5 for digit in DIGITS for writer in ("anna", "ben")}, DIGITS, ()),
        ({f"digits/{writer}/{digit}": 5 for digit in DIGITS for writer in ("anna", "ben")}, DIGITS, ()),
        ({f"{writer}/{digit}": 5 for digit in DIGITS for writer in ("w01", "w02")}, DIGITS, ()),
        ({f"{page:03}/{digit}": 5 for digit in DIGITS for page in range(30)}, DIGITS, ()),
        ({f"batch{batch}/{name}": 5 for name in WORDS for batch in range(3)}, WORDS, ()),
        ({f"{name}/batch{batch}": 5 for name in WORDS for batch in range(3)}, WORDS, ()),
        ({f"{name}/{number}": 5 for name in WORDS for number in "123"}, WORDS, ()),
        ({f"{name}/{date}": 5 for name in WORDS for date in ("2024-01-02", "2024-03-04")}, WORDS, ()),
        ({f"{date}/{name}": 5 for name in WORDS for date in ("2024-01-02", "2024-03-04")}, WORDS, ()),
        ({f"{code}/hsf_{part}": 5 for code in range(30, 40) for part in (0, 4)}, map(str, range(30, 40)), ()),
        ({f"by_class/{code}/hsf_{part}": 5 for code in ("4a", "5b") for part in (0, 4)}, ("4a", "5b"), ()),
        ({f"hsf_{part}/{sort}/{code}": 5 for part in "04" for sort, code in (("a", 30), ("b", 41))}, ("30", "41"), ()),
        ({"30/hsf_0": 5, "30/train_30": 5, "31/hsf_0": 5, "31/train_31": 5}, ("30", "31"), ()),
        ({"30/train_30": 5, "31/train_31": 5}, ("30", "31"), ()),
        ({"0": 8, "0/old": 2, "1": 8, "1/old": 2}, "01", ()),
        (below("dataset/images") | {"dataset/docs": 3}, DIGITS, {"dataset/docs"}),
        (below("data", classes=WORDS) | {"docs/figures": 3}, WORDS, {"docs/figures"}),
        (below("digits") | {"digits": 3, "": 1}, DIGITS, {"digits", ""}),
        ({"train": 5, "bus": 5, "car": 5}, ("train", "bus", "car"), ()),
        ({"v/train/day": 5, "v/bus/day": 5, "v/car/night": 5}, ("train", "bus", "car"), ()),
        ({"test tube": 5, "beaker": 5}, ("test tube", "beaker"), ()),
        ({"figures": 5, "tables": 5, "text": 5}, ("figures", "tables", "text"), ()),
        ({f"digit_{digit}/{writer}": 5 for digit in "78" for writer in ("anna", "ben")}, ("digit_7", "digit_8"), ()),
        (below("T-shirt") | below("Dress"), DIGITS, ()),
    ],
)  # fmt: skip
def test_the_level_of_the_classes_is_found(
    folders: Mapping[str, int], classes: Iterable[str], without: set[str]
) -> None:
    layout = find_layout(folders)

    assert classes_of(layout, None) == set(classes)
    assert left_out(layout) == set(without)


@pytest.mark.parametrize(
    ("folders", "without"),
    [
        (below("trainingSet") | {"testSet": 20}, {"testSet"}),
        (below("train/train") | {"test/test": 20}, {"test/test"}),
        (below("train") | {"test/unknown": 20}, {"test/unknown"}),
        (below("x") | {"x/testSet": 20}, {"x/testSet"}),
        (below("data") | {"data/test/images": 20, "data/test": 1}, {"data/test/images", "data/test"}),
    ],
)
def test_an_unlabeled_test_folder_is_no_class_and_left_out(folders: Mapping[str, int], without: set[str]) -> None:
    layout = find_layout(folders)

    assert left_out(layout) == without
    assert {place.label for place in layout.places.values()} - {""} == set(DIGITS)


def test_a_test_part_without_classes_is_no_split() -> None:
    layout = find_layout(below("train") | {"test": 20})

    assert classes_of(layout, None) == set(DIGITS)
    assert layout.split == ""
    assert layout.places["test"].why == "in a test folder without classes"


def test_a_test_folder_among_the_classes_is_the_test_part() -> None:
    layout = find_layout(dict.fromkeys(DIGITS, 5) | below("test"))

    assert classes_of(layout, Part.TRAIN) == classes_of(layout, Part.TEST) == set(DIGITS)


def test_a_test_folder_beside_another_with_the_same_classes_is_the_test_part() -> None:
    layout = find_layout(below("images", "test", classes=WORDS))

    assert classes_of(layout, Part.TRAIN) == classes_of(layout, Part.TEST) == set(WORDS)
    assert layout.places["images/cat"].part is Part.TRAIN


def test_folders_beside_train_and_test_are_left_out_with_the_reason() -> None:
    layout = find_layout(below("train", "test", "extra"))

    assert {layout.places[f"extra/{digit}"].why for digit in DIGITS} == {"in a folder beside test and train"}
    assert classes_of(layout, Part.TRAIN) == set(DIGITS)


def test_a_level_that_differs_between_training_and_test_is_no_class() -> None:
    layout = find_layout(
        {f"train/{who}/{name}": 5 for who in ("anna", "ben") for name in WORDS}
        | {f"test/{who}/{name}": 5 for who in ("carl", "dora") for name in WORDS}
    )

    assert classes_of(layout, Part.TRAIN) == classes_of(layout, Part.TEST) == set(WORDS)


def test_parts_in_folders_of_different_depth_are_aligned() -> None:
    layout = find_layout(below("train/images", "test"))

    assert classes_of(layout, Part.TRAIN) == classes_of(layout, Part.TEST) == set(DIGITS)


def test_which_folder_was_taken_is_told_and_doubted_only_where_it_is_doubtful() -> None:
    clear = find_layout({f"{digit}/{writer}": 5 for digit in DIGITS for writer in ("anna", "ben")})
    doubtful = find_layout({f"{name}/{writer}": 5 for name in WORDS for writer in ("anna", "ben")})

    assert "for '0/anna' it is '0'" in clear.level
    assert "folders like 'anna' were not taken as classes" in clear.level
    assert clear.doubts == ()
    assert "folders like 'anna' were not taken as classes" in doubtful.doubts[0]


def test_names_in_two_unicode_forms_are_one_class() -> None:
    layout = find_layout({"train/zéro": 5, "test/zéro": 5, "train/un": 5, "test/un": 5})

    assert classes_of(layout, Part.TEST) == {"zéro", "un"}


def test_nothing_but_loose_images_has_no_classes() -> None:
    for folders in ({"": 9}, {"train_images": 9, "test_images": 9}, {}):
        assert not find_layout(folders).classes


@pytest.mark.parametrize("name", ["cat", "te", "valve", "contest", "training shoe", "evaluate", "7", "devices"])
def test_other_words_name_no_part_for_certain(name: str) -> None:
    named = part_named(name)

    assert named is None or not named.certain
