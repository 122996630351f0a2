"""Writes what a comparison keeps: all answers as a table, and the images on which the models differ."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tenfold.worker.classification.csv_cells import as_cell
from tenfold.worker.comparisons.differences import FILE, SCHEMA
from tenfold.worker.comparisons.images import LabeledImages
from tenfold.worker.comparisons.outcome import Answers, letters
from tenfold.worker.storage.whole import atomic_write

TABLE = "answers.csv"

# Images with a thumbnail: more than a person looks through.
MAX_PICTURES = 1000

# Images drawn between two calls of `check`.
DRAWN_AT_A_TIME = 50


def write_answers(
    images: LabeledImages,
    places: Sequence[int],
    answers: Sequence[Answers],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    directory: Path,
) -> None:
    """Write the table `answers.csv`: a row for each compared image, with a prediction and a confidence of each model.

    Args:
        places: of the compared images among `images`.
        labels: (n,) their labels, as indices into `classes`; so are predictions.
        directory: not published yet.
    """
    cells = pl.Series([as_cell(name) for name in classes], dtype=pl.String)
    columns: dict[str, pl.Series | list[str] | list[int]] = {
        "row": [images.rows[place] for place in places],
        "name": [as_cell(images.names[place]) for place in places],
        "true_label": cells.gather(labels),
    }
    for name, each in zip(letters(len(answers)), answers, strict=True):
        columns |= {
            f"{name}_prediction": cells.gather(each.predictions),
            f"{name}_confidence": pl.Series(each.confidences.astype(np.float64).round(6)),
        }
    with atomic_write(directory / TABLE) as file:
        pl.DataFrame(columns).write_csv(file)


def write_differences(
    images: LabeledImages,
    places: Sequence[int],
    answers: Sequence[Answers],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    directory: Path,
    check: Callable[[], None],
) -> int:
    """Write `differences.sqlite`, with thumbnails of the first `MAX_PICTURES`.

    Args:
        places, labels, classes, directory: as `write_answers`.
        check: called now and then; may raise to stop.

    Returns:
        the number of images on which the models differ.
    """
    predictions = np.stack([each.predictions for each in answers])
    confidences = np.stack([each.confidences for each in answers])
    right = predictions == labels
    bits = (right * (1 << np.arange(len(answers)))[:, None]).sum(axis=0)
    differing = np.flatnonzero((predictions != predictions[0]).any(axis=0))
    surest_mistake = np.where(right, 0, confidences).max(axis=0)
    order = differing[np.lexsort((-surest_mistake[differing], ~right.any(axis=0)[differing]))]
    with closing(sqlite3.connect(directory / FILE, isolation_level=None)) as database:
        # The file is not visible before it is complete.
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA} BEGIN")
        database.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    rank,
                    images.rows[places[at]],
                    images.names[places[at]],
                    classes[labels[at]],
                    json.dumps(
                        [
                            [classes[predicted], round(float(confidence), 6)]
                            for predicted, confidence in zip(predictions[:, at], confidences[:, at], strict=True)
                        ]
                    ),
                    int(bits[at]),
                )
                for rank, at in enumerate(order)
            ),
        )
        drawn = [places[at] for at in order[:MAX_PICTURES]]
        for start in range(0, len(drawn), DRAWN_AT_A_TIME):
            check()
            pictures = enumerate(images.pictures(drawn[start : start + DRAWN_AT_A_TIME]), start)
            database.executemany(
                "INSERT INTO pictures VALUES (?, ?)",
                ((rank, picture) for rank, picture in pictures if picture is not None),
            )
        database.execute("COMMIT")
    return len(order)
