"""What a person, or a key of theirs, may do."""

from enum import StrEnum


class Scope(StrEnum):
    """Each may do what those before it may, and more.

    `read` sees every job and result; `submit` also hands in jobs and changes one's own; `admin` also changes those of
    others, chooses the default model and looks after the people.
    """

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def covers(self, other: "Scope") -> bool:
        return ORDER.index(self) >= ORDER.index(other)


ORDER = tuple(Scope)


def lesser(one: Scope, other: Scope) -> Scope:
    """What may be done by a key of the one scope that belongs to a person of the other."""
    return other if one.covers(other) else one
