"""People: users and their API keys, and whose each job is.

The column with a reference is added in plain SQL: SQLite adds it in place, while its way of copying a table would
delete the steps of all jobs on the way.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SCOPE = sa.Enum("read", "submit", "admin", name="scope", native_enum=False, length=20)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("session_stamp", sa.String(length=255), nullable=False),
        sa.Column("scope", SCOPE, nullable=False),
        sa.Column("max_jobs", sa.Integer(), nullable=True),
        sa.Column("max_bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("served_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=15), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("scope", SCOPE, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_keys_by_owner", "api_keys", ["owner"])
    op.execute("ALTER TABLE jobs ADD COLUMN owner VARCHAR(63) REFERENCES users (name) ON DELETE SET NULL")
    op.add_column("jobs", sa.Column("bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("jobs_by_owner", "jobs", ["owner", "state", "kind", "id"])
    op.create_index("steps_by_job", "steps", ["job_id", "state", "kind"])


def downgrade() -> None:
    op.drop_index("steps_by_job", "steps")
    op.drop_index("jobs_by_owner", "jobs")
    op.drop_column("jobs", "bytes")
    op.execute("ALTER TABLE jobs DROP COLUMN owner")
    op.drop_table("api_keys")
    op.drop_table("users")
