"""Sweeps: a training may be the trial of another job, and a model that of a trial.

Columns are added in place: SQLite's way of copying a table would delete the steps of all jobs on the way.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("parent_id", sa.String(length=26), nullable=True))
    op.create_index("jobs_by_parent", "jobs", ["parent_id", "id"])
    op.add_column("models", sa.Column("trial", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("models", "trial")
    op.drop_index("jobs_by_parent", "jobs")
    op.drop_column("jobs", "parent_id")
