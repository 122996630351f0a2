"""How the volume lies in a bucket: which directories are whole (`Storage`), and which file is kept in pieces."""

from pathlib import PurePath


def whole_directory(path: PurePath) -> PurePath | None:
    """The whole directory that this path is, or is in: a model, a data set, a review. None for all others.

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
    """How the keys of what is in this directory begin."""
    return f"{path}/" if path.parts else ""


def pieces_of(path: PurePath) -> PurePath | None:
    """The directory of a log's pieces, where it cannot be appended to; None for files that are no logs."""
    match path.parts:
        case ["jobs", job, "log.txt"]:
            return PurePath("jobs", job, "log")
    return None
