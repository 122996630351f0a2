"""Tells files and folders that programs leave behind from those that a person put there."""

from functools import lru_cache

# Small letters; names that begin with a dot are left behind as well.
SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
SYSTEM_FOLDERS = frozenset(
    {
        "__macosx",
        "__pycache__",
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)


def is_system_path(path: str) -> bool:
    """Whether the file is hidden or a system's own, or lies in a folder that is.

    Args:
        path: the file's path in an archive or below a folder, with slashes or backslashes.
    """
    folder, _, name = path.replace("\\", "/").rpartition("/")
    return name.startswith(".") or name.lower() in SYSTEM_FILES or (bool(folder) and is_system_folder(folder))


@lru_cache(4096)
def is_system_folder(folder: str) -> bool:
    """Whether any folder of this path, with slashes, is hidden or a system's own. `.` and `..` are not."""
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.lower() in SYSTEM_FOLDERS
        for part in folder.split("/")
    )
