"""The key that signs sessions: a setting, or created once and kept on the volume."""

import contextlib
import os
import secrets
from pathlib import Path

from tenfold.worker.storage.volume import Volume


def session_key(volume: Volume) -> str:
    """The key in the volume's file; several processes that start together end up with the same one."""
    path = volume.storage.fetch(volume.session_key, may_change=True)
    if not path.exists():
        _make(path)
        with contextlib.suppress(FileExistsError):
            volume.storage.publish(path, replace=False)
        volume.storage.fetch(path, may_change=True)
    return path.read_text()


def _make(path: Path) -> None:
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(written, path)  # unlike a rename, never replaces the file of another process
    except FileExistsError:
        pass
    finally:
        written.unlink()
