"""Detects which folders of an archive are classes and which are parts of a split, if the classes are unknown.

The rules, in order:

1. Sibling folders whose names mean training or test (`splits`) are the parts of a split, at any level: above the
   classes (`train/7`) or below (`7/train`). Other folders beside `train` and `test` are skipped.
2. A folder that contains everything is not a class: `mnist/7` is the same as `7`.
3. Of the remaining levels the top one names the class, as in Keras' `image_dataset_from_directory` and torchvision's
   `ImageFolder`: `7/anna/x.png` is a 7. A lower level is used if all its names are digits or letters (`anna/7`) or NIST
   codes, or if the names above it are numbered (`batch 2/cat`) or differ between training and test.

The decisions are explained in sentences, and skipped images counted by reason.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenfold.trainer.files.class_names import comparable
from tenfold.trainer.files.splits import NO_CLASSES, Part, part_for_test, read_choice, tell_split
from tenfold.trainer.files.truth_folders import split_folder

Path = tuple[str, ...]

# The share of images that must be in a folder of the class level.
MIN_COVERAGE = 0.9
MAX_CLASSES = 256
# Deeper than any level: no level names the class.
MAX_LEVEL = 1000
# Fewer single characters might be any numbering.
MIN_CHARACTERS = 7

NUMBER_WORDS = frozenset(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
# `digit_7`, `class 3`: numbered, but classes.
CLASS_STEMS = re.compile(r"(digit|class|label|number|char|letter|sample)s?[\W_]*[0-9a-z]{1,4}", re.IGNORECASE)
# NIST Special Database 19 names its classes by the character's ASCII code: 30 is `0`, 7a is `z`.
NIST_CODE = re.compile(r"[3-7][0-9a-f]")
# `hsf_0`, `writer12`, `2019-03-01`, `0031`: numbered folders.
NUMBERED = re.compile(r"(.*\D)?[0-9]+|[0-9]{4,}")
# Folders of a project with images that are not examples.
UNRELATED = frozenset(
    ("doc", "docs", "documentation", "figure", "figures", "fig", "figs", "asset", "assets", "screenshot",
     "screenshots", "notebook", "notebooks", "src", "script", "scripts", "result", "results", "output", "outputs",
     "plots", "logs", "models", "readme")
)  # fmt: skip

# Names of folders of images that are not classes, unless all other folders have such names too.
CONTAINERS = frozenset(
    ("image", "images", "img", "imgs", "picture", "pictures", "photos", "scans", "data", "dataset", "files", "raw",
     "png", "jpg", "jpeg", "tif", "tiff", "mask", "masks", "unlabeled", "unlabelled")
)  # fmt: skip

LOOSE = "in no class folder"


@dataclass(frozen=True)
class Place:
    """The part and the class of a folder's images.

    `part` is None without a split. If `label` is empty, the images are skipped, and `why` has the reason.
    """

    part: Part | None
    label: str
    why: str = ""


@dataclass(frozen=True)
class Layout:
    """The place of each folder's images, and sentences on the decisions.

    `split` says which folders are which part, `level` which folder is the class, `doubts` what is ambiguous.
    """

    places: Mapping[str, Place]
    split: str
    level: str
    doubts: tuple[str, ...] = ()

    @property
    def classes(self) -> frozenset[str]:
        return frozenset(place.label for place in self.places.values() if place.label)


@dataclass
class _Folder:
    """A folder with images, during the decision: `rest` are the folders in its path that may be classes."""

    path: str
    images: int
    rest: Path
    part: Part | None = None
    named: tuple[str, ...] = ()
    why: str = ""


def find_layout(folders: Mapping[str, int]) -> Layout:
    """Decide the place of each folder's images by this module's rules.

    Args:
        folders: the number of images directly in each folder, by its path with slashes; `""` is the root.
    """
    found = [_Folder(path, images, tuple(map(comparable, split_folder(path)))) for path, images in folders.items()]
    _take_splits(found)
    kept = [folder for folder in found if not folder.why]
    if part_for_test({folder.part for folder in kept}) is None:
        for folder in kept:
            folder.part = None
    _strip_wrappers(kept)
    kept = _skip_unrelated(kept)
    level, ranks = _choose_level(kept)
    return _laid_out(found, kept, level, ranks)


# The split


def _take_splits(found: list[_Folder]) -> None:
    """Remove the folders that name a part from each path, and note the part that the topmost real choice names."""
    children: dict[Path, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for folder in found:
        for depth, name in enumerate(folder.rest):
            children[folder.rest[:depth]][name].update(folder.rest[depth + 1 : depth + 2])
    choices = {parent: read_choice(names) for parent, names in children.items()}
    for folder in found:
        rest, chosen = [], []
        for depth, name in enumerate(folder.rest):
            choice = choices[folder.rest[:depth]]
            if name not in choice.parts:
                rest.append(name)
                continue
            if why := choice.left_out.get(name):
                folder.why = folder.why or why
            if name not in choice.removed:
                rest.append(name)
            chosen.append((not choice.is_real, depth, choice.parts[name], name))
        folder.rest = tuple(rest)
        if chosen:
            _, _, folder.part, name = min(chosen, key=lambda choice: choice[:2])
            folder.named = (name,)


# The level


def _strip_wrappers(kept: list[_Folder]) -> None:
    """Remove top folders that contain all images, of all parts or of one part."""
    _strip(kept)
    by_part = defaultdict[Part | None, list[_Folder]](list)
    for folder in kept:
        by_part[folder.part].append(folder)
    for part, mine in by_part.items():
        others = {folder.rest[0] for folder in kept if folder.part is not part and folder.rest}
        if others:
            _strip(mine, keep=others)


def _strip(folders: list[_Folder], keep: Iterable[str] = ()) -> None:
    while True:
        tops = {folder.rest[0] for folder in folders if folder.rest}
        if len(tops) != 1 or tops & set(keep) or max(len(folder.rest) for folder in folders) < 2:
            return
        for folder in folders:
            folder.rest = folder.rest[1:]


def _skip_unrelated(kept: list[_Folder]) -> list[_Folder]:
    """Skip `docs` and the like if they are beside one folder with all classes, or beside digits."""
    tops = {folder.rest[0] for folder in kept if folder.rest}
    unrelated = {top for top in tops if top.lower() in UNRELATED}
    classes = tops - unrelated
    if not unrelated or not classes or not (len(classes) == 1 or _look_like_classes(classes)):
        return kept
    for folder in kept:
        if folder.rest and folder.rest[0] in unrelated:
            folder.why = "in a folder of documents, not of examples"
    kept = [folder for folder in kept if not folder.why]
    _strip(kept)
    return kept


def _choose_level(kept: list[_Folder]) -> tuple[int, dict[int, int]]:
    """The level that names the class, from 0 at the top, and the ranks of all possible levels."""
    total = sum(folder.images for folder in kept if folder.rest)
    names: list[dict[bool, set[str]]] = []
    covered = Counter[int]()
    for folder in kept:
        for level, name in enumerate(folder.rest):
            if level == len(names):
                names.append({True: set(), False: set()})
            names[level][folder.part is Part.TEST].add(name)
            covered[level] += folder.images
    possible = [
        level
        for level, (tested, trained) in enumerate((by_part[True], by_part[False]) for by_part in names)
        if 2 <= len(tested | trained) <= MAX_CLASSES
        and not {name.lower() for name in tested | trained} <= CONTAINERS
        and (level == 0 or covered[level] >= MIN_COVERAGE * total)
    ]
    consistent = [level for level in possible if names[level][True] <= names[level][False]]
    candidates = consistent or possible
    if not candidates:
        only = names[0][True] | names[0][False] if names else set()
        return (MAX_LEVEL if {name.lower() for name in only} <= CONTAINERS else 0), {}
    ranks = {level: _rank(names[level][True] | names[level][False], level) for level in possible}
    return max(candidates, key=lambda level: (ranks[level], -level)), ranks


def _rank(names: set[str], level: int) -> int:
    """How much a level's names look like classes: 2 for characters, 1 for words, 0 for numbered names."""
    if _look_like_classes(names):
        characters = all(len(name) == 1 for name in names)
        return 2 if level == 0 or not characters or "0" in names or len(names) >= MIN_CHARACTERS else 0
    if all(map(NUMBERED.fullmatch, names)):
        return 0
    return 1


def _look_like_classes(names: set[str]) -> bool:
    return (
        all(len(name) == 1 for name in names)
        or {name.lower() for name in names} <= NUMBER_WORDS
        or all(map(CLASS_STEMS.fullmatch, names))
        or (len(names) > 1 and all(NIST_CODE.fullmatch(name.lower()) for name in names))
    )


# The result


def _laid_out(found: list[_Folder], kept: list[_Folder], level: int, ranks: Mapping[int, int]) -> Layout:
    labels = {folder.path: folder.rest[level] for folder in kept if level < len(folder.rest)}
    for_test = part_for_test({folder.part for folder in kept if folder.path in labels})
    places = {}
    for folder in found:
        label = labels.get(folder.path, "")
        why = folder.why or (LOOSE if folder.part in (None, Part.TRAIN) else NO_CLASSES)
        part = None if for_test is None else Part.TEST if folder.part is for_test else Part.TRAIN
        places[folder.path] = Place(part, label, "" if label else why)
    places, doubts = _without_unlabeled_test(places)
    example = max(
        (folder for folder in kept if places[folder.path].label), key=lambda folder: folder.images, default=None
    )
    explained = ""
    if example is not None:
        name = example.rest[level]
        explained = f"Each image's class is the name of a folder: for {example.path!r} it is {name!r}."
        other = next((rival for rival in ranks if level != rival < len(example.rest)), None)
        if other is not None:
            explained = f"{explained[:-1]}; folders like {example.rest[other]!r} were not taken as classes."
            if ranks[other] >= ranks[level]:
                doubts.append(
                    f"{explained[:-1]}. If those are the classes, put the images into folders named after their class."
                )
    return Layout(places, _split_note(found, places), explained, tuple(doubts))


def _without_unlabeled_test(places: dict[str, Place]) -> tuple[dict[str, Place], list[str]]:
    """Skip a test part whose only folder is not a training class: its images have no labels."""
    trained, tested = (
        {place.label for place in places.values() if place.label and (place.part is Part.TEST) == is_test}
        for is_test in (False, True)
    )
    if not trained or len(tested) != 1 or tested & trained:
        return places, []
    [name] = tested
    left_out = {
        path: Place(None, "", NO_CLASSES) if place.part is Part.TEST else Place(None, place.label, place.why)
        for path, place in places.items()
    }
    return left_out, [
        f"The test images are in {name!r}, which is not a class of the training images, so they were skipped."
    ]


def _split_note(found: list[_Folder], places: Mapping[str, Place]) -> str:
    names = defaultdict[Part, set[str]](set)
    for folder in found:
        if folder.part is not None and places[folder.path].label:
            names[folder.part].update(folder.named)
    return tell_split(names)
