"""Says in plain sentences what a classification skipped and assumed: the `notes` of its summary.

They are for people. The same facts are in the summary as figures, for programs.
"""

from collections.abc import Mapping, Sequence

# What a person can do about files that were skipped, by their kind.
REMEDIES = {"archives": "Archives inside are not opened; submit each by itself."}


def skipped_notes(kinds: Mapping[str, int], examples: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each kind of skipped files.

    Args:
        kinds: files that were no images, counted by kind.
        examples: names of some of them, by kind.
    """
    return [_skipped(kind, count, examples.get(kind, ())) for kind, count in kinds.items()]


def _skipped(kind: str, count: int, examples: Sequence[str]) -> str:
    named = ", ".join(examples)
    more = ", …" if named and count > len(examples) else ""
    names = f" ({named}{more})" if named else ""
    return f"Skipped {kind}: {count:,}{names}. {REMEDIES.get(kind, '')}".rstrip()
