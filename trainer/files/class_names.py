"""Matches names of folders and cells to a model's classes, and converts class names to folder names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

# Characters that file names can't contain on Linux, macOS or Windows.
NOT_IN_FOLDERS = re.compile(r'[/\\:*?"<>|\x00-\x1f]')
NUMBER = re.compile(r"[+-]?0*([0-9]{1,18})(?:\.0*)?")


def folder_name(class_name: str) -> str:
    """The class name as a valid folder name on any system: `T-shirt/top` becomes `T-shirt_top`."""
    safe = NOT_IN_FOLDERS.sub("_", class_name).rstrip(". ")
    return safe or "_"


def folder_names(class_names: Sequence[str]) -> list[str]:
    """A unique folder name for each class: a number is appended where two would be equal."""
    used = Counter[str]()
    names = []
    for name in map(folder_name, class_names):
        used[name] += 1
        names.append(name if used[name] == 1 else f"{name} ({used[name]})")
    return names


def comparable(text: str) -> str:
    """Text in the form used for comparisons: stripped, and in NFC, since macOS writes names in NFD."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


class ClassNames:
    """Looks up a model's classes by folder names and cells.

    Args:
        names: the class names, in the model's order.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)

    def of_folder(self, folder: str) -> str | None:
        """The class that a folder name means, exactly or as a file-safe spelling; None if it means none.

        The folders `T-shirt_top`, `T-shirt-top`, `T-shirt top` and `T-shirttop` mean `T-shirt/top`, unless another
        class has exactly that name.
        """
        return self._by_folder.get(comparable(folder))

    def of_cell(self, cell: str) -> str | None:
        """The class that a table's cell means, as a folder name or as an equal integer: `7.0` and `07` mean `7`."""
        found = self.of_folder(cell)
        if found is None and (number := NUMBER.fullmatch(comparable(cell))):
            return self._by_number.get(_sign(cell) + number[1])
        return found

    def of_path(self, parts: Sequence[str], at: int) -> str | None:
        """The class that the folder at this index of a path means, alone or with the next ones: `T-shirt/top`."""
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
        """Classes with slashes in their names, by their number of folders."""
        nested: dict[int, dict[str, str]] = {}
        for name in self.names:
            if "/" in name:
                nested.setdefault(name.count("/") + 1, {})[comparable(name)] = name
        return nested


def _sign(text: str) -> str:
    return "-" if text.strip().startswith("-") else ""
