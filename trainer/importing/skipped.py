"""Counts what an import leaves out, by reason, with a few names: nothing is left out in silence."""

from collections.abc import Iterator

EXAMPLES = 3
MAX_EXAMPLE_CHARACTERS = 200

SYSTEM = "hidden and system files"


class Skipped:
    """What was left out, by reason. A reason is a plural: `text files`, `images in no class folder`."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, reason: str, name: object) -> None:
        """Count one file or image."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(str(name)[-MAX_EXAMPLE_CHARACTERS:])

    def sentences(self, *, of_images: bool) -> Iterator[str]:
        """A sentence for each reason why images were left out, or for each why other files were."""
        for reason, count in sorted(self.counts.items()):
            if reason.startswith("images") != of_images:
                continue
            examples = self._examples[reason]
            more = ", …" if count > len(examples) else ""
            yield f"Skipped {reason}: {count:,} ({', '.join(examples)}{more})."
