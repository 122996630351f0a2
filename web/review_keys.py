"""Which key of the keyboard says which class: its first character, where that tells it from the others."""

from collections import Counter
from collections.abc import Mapping, Sequence

# What means something else while no class takes it.
NONE_KEY, UNDO_KEY = "x", "u"


def class_keys(class_names: Sequence[str]) -> Mapping[str, str]:
    """For each class that has one its key, a single character.

    It is a small letter where one class only begins with that letter, large or small; `Cat` and `cat` differ by Shift;
    `cat` and `cow` have none.
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
