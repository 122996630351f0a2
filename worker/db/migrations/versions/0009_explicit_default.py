"""The default model is one that was promoted: until now the newest served until somebody chose one.

So that no volume loses its default by the update, what served until now is pinned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MODELS = sa.table("models", sa.column("id"), sa.column("pinned", sa.Boolean), sa.column("trial", sa.Boolean))


def upgrade() -> None:
    served = sa.select(sa.func.max(MODELS.c.id)).where(MODELS.c.trial.is_(False)).scalar_subquery()
    chosen = sa.select(MODELS.c.id).where(MODELS.c.pinned).exists()
    op.execute(sa.update(MODELS).where(MODELS.c.id == served, ~chosen).values(pinned=True))


def downgrade() -> None:
    """What is pinned serves in the version before, too."""
