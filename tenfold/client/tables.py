"""A job's outcome as a pandas DataFrame. Pandas is loaded only when one is asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

# The file that holds the table of each kind of job.
TABLES = {
    "classification": "results.parquet",
    "training": "history.csv",
    "sweep": "trials.csv",
    "comparison": "answers.csv",
    "check": "suspects.csv",
}


def read_table(path: Path) -> "pandas.DataFrame":
    """The table in a Parquet or CSV file.

    Raises:
        ImportError: pandas is not installed; says how to install it.
    """
    try:
        import pandas
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Job.results() needs pandas and pyarrow: pip install 'tenfold[pandas]'. "
            "Without them, Job.fetch(directory) saves the same table as CSV, JSON lines and Parquet."
        ) from error
    return pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)
