"""Hashes passwords with Argon2id."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenfold.worker.errors import InvalidSubmission

MIN_LENGTH = 8
# A longer one is no safer, and takes longer to hash.
MAX_LENGTH = 1024

# OWASP's minimum for Argon2id: about 20 ms and 19 MiB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Verified for unknown users, so that response times do not reveal which users exist.
_dummy_hash = _hasher.hash("no password")


def hash_password(password: str) -> str:
    """
    Raises:
        InvalidSubmission: the password is too short or too long.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidSubmission("password", f"The password must have {MIN_LENGTH} to {MAX_LENGTH} characters")
    return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether the password matches this hash. None, for an unknown user, takes as long."""
    if len(password) > MAX_LENGTH:
        return False
    try:
        return _hasher.verify(password_hash or _dummy_hash, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
