"""Finds which of a model's classes a folder or a cell names, and spells classes so that folders can have them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

# What a name of a file cannot hold on Linux, macOS or Windows.
NOT_IN_FOLDERS = re.compile(r'[/\\:*?"<>|\x00-\x1f]')
NUMBER = re.compile(r"[+-]?0*([0-9]{1,18})(?:\.0*)?")


def folder_name(class_name: str) -> str:
    """The class spelled so that a folder can have that name on any system: `T-shirt/top` is `T-shirt_top`."""
    safe = NOT_IN_FOLDERS.sub("_", class_name).rstrip(". ")
    return safe or "_"


def folder_names(class_names: Sequence[str]) -> list[str]:
    """A folder name for each class, no two alike: where two classes are spelled alike, a number is put after."""
    used = Counter[str]()
    names = []
    for name in map(folder_name, class_names):
        used[name] += 1
        names.append(name if used[name] == 1 else f"{name} ({used[name]})")
    return names


def comparable(text: str) -> str:
    """Text as it is compared: in Unicode's form NFC, since macOS writes names in NFD; without space around it."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


class ClassNames:
    """A model's classes, to be looked up by what people call them.

    Args:
        names: the class names, in the model's order.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)

    def of_folder(self, folder: str) -> str | None:
        """The class that one folder's name says: as it is spelled, or as a file-safe spelling of it; None for none.

        The folders `T-shirt_top`, `T-shirt-top`, `T-shirt top` and `T-shirttop` are `T-shirt/top`, unless another
        class has that very name.
        """
        return self._by_folder.get(comparable(folder))

    def of_cell(self, cell: str) -> str | None:
        """The class that a cell of a table says, as a folder does or as the same whole number: `7.0`, `07` are `7`."""
        found = self.of_folder(cell)
        if found is None and (number := NUMBER.fullmatch(comparable(cell))):
            return self._by_number.get(_sign(cell) + number[1])
        return found

    def of_path(self, parts: Sequence[str], at: int) -> str | None:
        """The class that the folder at this place of a path says, perhaps with those after it: `T-shirt/top`."""
        for length, classes in self._nested.items():
            joined = "/".join(map(comparable, parts[at : at + length]))
            if joined in classes:
                return classes[joined]
        return self.of_folder(parts[at])

    @cached_property
    def _by_folder(self) -> Mapping[str, str]:
        spellings: dict[str, set[str]] = {}
        for name, unique in zip(self.names, folder_names(self.names), strict=True):
            for spelling in (unique, *(NOT_IN_FOLDERS.sub(mark, name) for mark in ("_", "-", " ", ""))):
                spellings.setdefault(comparable(spelling), set()).add(name)
        found = {spelling: names.pop() for spelling, names in spellings.items() if spelling and len(names) == 1}
        found |= {comparable(unique): name for name, unique in zip(self.names, folder_names(self.names), strict=True)}
        return found | {comparable(name): name for name in self.names}

    @cached_property
    def _by_number(self) -> Mapping[str, str]:
        numbers = {name: NUMBER.fullmatch(comparable(name)) for name in self.names}
        counts = Counter(_sign(name) + number[1] for name, number in numbers.items() if number)
        found = {_sign(name) + number[1]: name for name, number in numbers.items() if number}
        return {number: name for number, name in found.items() if counts[number] == 1}

    @cached_property
    def _nested(self) -> Mapping[int, Mapping[str, str]]:
        """Classes whose names have slashes, by the number of folders that they take."""
        nested: dict[int, dict[str, str]] = {}
        for name in self.names:
            if "/" in name:
                nested.setdefault(name.count("/") + 1, {})[comparable(name)] = name
        return nested


def _sign(text: str) -> str:
    return "-" if text.strip().startswith("-") else ""
