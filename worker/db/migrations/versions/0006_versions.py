"""Versions: from which one on a worker can do a step, and from which one on a Tenfold can use these tables.

The latter stands beside Alembic's own, since it is of the tables, and of no row. A migration that
drops or tightens something raises it to the last revision of the versions that still needed it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("alembic_version", sa.Column("usable_since", sa.String(length=32), server_default="0005"))


def downgrade() -> None:
    op.drop_column("alembic_version", "usable_since")
    op.drop_column("steps", "version")
