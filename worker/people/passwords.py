"""Passwords, of which only an Argon2id hash is kept."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from worker.errors import InvalidSubmission

SHORTEST = 8
# A longer one protects nobody better, and costs time to hash.
LONGEST = 1024

# OWASP's lowest recommendation for Argon2id: some 20 ms, and 19 MiB for as long.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Checked where there is no such person, so that the time of an answer does not tell who exists.
_nobodys = _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    """
    Raises:
        InvalidSubmission: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidSubmission("password", f"The password must have {SHORTEST} to {LONGEST} characters")
    return _hasher.hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Whether this is the password of which that is kept; None, which takes as long, is nobody's."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(kept or _nobodys, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
