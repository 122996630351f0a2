"""What a user or an API key may do."""

from enum import StrEnum


class Scope(StrEnum):
    """Each scope includes those before it.

    `read` sees every job and result; `submit` also submits jobs and changes its own; `admin` also changes the jobs of
    others, changes aliases and manages users.
    """

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def covers(self, other: "Scope") -> bool:
        return ORDER.index(self) >= ORDER.index(other)


ORDER = tuple(Scope)


def lesser(one: Scope, other: Scope) -> Scope:
    """The scope of a key with one of these scopes whose owner has the other."""
    return other if one.covers(other) else one
