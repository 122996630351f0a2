"""Long lines: what is queued is found by its kind, and what was tried before among few.

Of 100,000 steps in line the healer of each worker went through all, every few seconds.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

IN_LINE_AGAIN = sa.text("state = 'queued' AND attempts > 0")


def upgrade() -> None:
    op.drop_index("steps_by_state", "steps")
    op.create_index("steps_by_state", "steps", ["state", "kind", "announced_at", "id"])
    op.create_index(
        "steps_in_line_again",
        "steps",
        ["state", "attempts"],
        sqlite_where=IN_LINE_AGAIN,
        postgresql_where=IN_LINE_AGAIN,
    )


def downgrade() -> None:
    op.drop_index("steps_in_line_again", "steps")
    op.drop_index("steps_by_state", "steps")
    op.create_index("steps_by_state", "steps", ["state", "announced_at"])
