"""Keyboard shortcuts of the classes: the first character of the name, if it is unique."""

from collections import Counter
from collections.abc import Mapping, Sequence

# These shortcuts are available if no class uses them.
NONE_KEY, UNDO_KEY = "x", "u"


def class_keys(class_names: Sequence[str]) -> Mapping[str, str]:
    """The key of each class that has one: a single character.

    It is lowercase if only one class starts with that letter in either case. `Cat` and `cat` differ by Shift; `cat` and
    `cow` have no key.
    """
    firsts = Counter(name[0] for name in class_names)
    small = Counter(name[0].lower() for name in class_names)
    keys = {}
    for name in class_names:
        first = name[0]
        if small[first.lower()] == 1:
            keys[name] = first.lower()
        elif firsts[first] == 1:
            keys[name] = first
    return {name: key for name, key in keys.items() if not key.isspace()}
