"""Stored names in American spelling, and stored values without spaces.

Earlier versions cannot read the new names, so this is no rolling upgrade: it marks the tables as unusable for them, and
raises the version of every step that is not done. Classifications that have not succeeded start over, since their
shards are in a form that this version does not merge.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The version of steps that came with these names.
VERSION = 3

KEYS = {
    "normalise": "normalize",
    "normalisation": "normalization",
    "batch_normalisation": "batch_normalization",
    "labelled": "labeled",
    "accepted_labelled": "accepted_labeled",
    "given_up": "pruned",
    "seconds_a_trial": "seconds_per_trial",
    "truth": "true_labels",
    "train": "train_images",
    "test": "test_images",
}

SKIPPED = {
    "system files": "system_files",
    "files in hidden or system folders": "hidden_files",
    "links to directories": "directory_links",
    "other files": "other_files",
}

# By the key above them: other keys, and values.
BELOW = {
    "quality": {"several digits": "multiple_digits", "like no class": "out_of_distribution"},
    "error_kinds": {
        "no image": "unrecognized_format",
        "too large": "too_large",
        "no reader": "missing_package",
        "no file": "not_a_file",
        "packing method": "unsupported_compression",
        "unsafe name": "unsafe_name",
    },
    "fitted_on": {"validation split": "validation_split", "half of the test images": "half_of_test_images"},
    "state": {"given up": "pruned"},
    "truth": {
        "folder_doubtful": "ambiguous_folder",
        "truth_column": "true_label_column",
        "duplicates": "duplicate_rows",
        "matched": "matched_rows",
        "images_with_truth": "images_with_true_label",
        "unmatched": "unknown_labels",
        "images_unmatched": "images_with_unknown_label",
    },
    "accepted_error": {"asked": "max_error_rate", "rate": "error_rate", "beyond_chance": "significant"},
    "pages": {"cut": "truncated"},
    "skipped_kinds": SKIPPED,
    "skipped_examples": SKIPPED,
}

# Keys below these are a person's own words: names of classes, hosts, files.
OWN_WORDS = frozenset({"counts", "per_class", "workers", "unmatched"})

COLUMNS = {
    "jobs": ("parameters", "source", "detail", "summary"),
    "steps": ("input", "output"),
    "models": ("parameters", "metrics"),
}

# Rows read at a time.
BATCH = 1000

JOBS = sa.table("jobs", *map(sa.column, ("id", "kind", "state", "done")))
STEPS = sa.table(
    "steps",
    *map(
        sa.column,
        ("job_id", "kind", "state", "version", "attempts", "announced_at", "lease_token", "lease_expires_at"),
    ),
    sa.column("output", sa.JSON(none_as_null=True)),
)


def upgrade() -> None:
    connection = op.get_bind()
    for name, columns in COLUMNS.items():
        _rename_in(connection, sa.table(name, sa.column("id"), *(sa.column(column, sa.JSON) for column in columns)))
    _restart_classifications(connection, "plan", ("queued", "running"), "queued")
    _restart_classifications(connection, "plan", ("failed", "cancelled"), "waiting")
    connection.execute(sa.update(STEPS).where(STEPS.c.state != "done").values(version=VERSION))
    op.execute("UPDATE alembic_version SET usable_since = '0010'")


def downgrade() -> None:
    raise NotImplementedError("Restore a backup of the version before.")


def _rename_in(connection: sa.Connection, table: sa.TableClause) -> None:
    last: Any = None
    while True:
        query = sa.select(table).order_by(table.c.id).limit(BATCH)
        rows = connection.execute(query if last is None else query.where(table.c.id > last)).mappings().all()
        for row in rows:
            renamed = {name: _renamed(value) for name, value in row.items() if isinstance(value, dict)}
            changed = {name: value for name, value in renamed.items() if value != row[name]}
            if changed:
                connection.execute(sa.update(table).where(table.c.id == row["id"]).values(changed))
        if len(rows) < BATCH:
            return
        last = rows[-1]["id"]


def _renamed(value: Any, above: str = "") -> Any:
    """The value with new names, where `above` is the old key that it is found under."""
    names = BELOW.get(above, {})
    if isinstance(value, dict):
        if above in OWN_WORDS:
            return value
        return {names.get(key, KEYS.get(key, key)): _renamed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, above) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _restart_classifications(connection: sa.Connection, first: str, states: Sequence[str], first_state: str) -> None:
    unfinished = sa.and_(JOBS.c.kind == "classification", JOBS.c.state.in_(states))
    ids = sa.select(JOBS.c.id).where(unfinished).scalar_subquery()
    connection.execute(sa.delete(STEPS).where(STEPS.c.job_id.in_(ids), STEPS.c.kind != first))
    connection.execute(
        sa.update(STEPS)
        .where(STEPS.c.job_id.in_(ids))
        .values(state=first_state, attempts=0, output=None, announced_at=0, lease_token=None, lease_expires_at=None)
    )
    connection.execute(sa.update(JOBS).where(unfinished).values(done=0))
