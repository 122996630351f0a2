"""The volume's layout in a bucket: which directories are whole (`Storage`), and which files are kept in pieces."""

from pathlib import PurePath


def whole_directory(path: PurePath) -> PurePath | None:
    """The whole directory (of a model, a data set or a review) that this path is or is in, else None.

    Args:
        path: relative to the volume's root.
    """
    match path.parts:
        case ["models" | "datasets" as folder, name, *_]:
            return PurePath(folder, name)
        case ["jobs", job, "review", *_]:
            return PurePath("jobs", job, "review")
    return None


def prefix_of(path: PurePath) -> str:
    """The prefix of all keys in this directory."""
    return f"{path}/" if path.parts else ""


def pieces_of(path: PurePath) -> PurePath | None:
    """The directory of a log's pieces, since objects cannot be appended to; None for other files."""
    match path.parts:
        case ["jobs", job, "log.txt"]:
            return PurePath("jobs", job, "log")
    return None
