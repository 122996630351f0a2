"""Names for models, with the history of what each named. The default model becomes what `production` names.

`models.pinned` stays for versions before, which read the default model there.
"""

import time
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MODELS = sa.table("models", sa.column("id"), sa.column("pinned", sa.Boolean))


def upgrade() -> None:
    aliases = op.create_table(
        "aliases",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("model", sa.String(length=26), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["models.id"]),
        sa.PrimaryKeyConstraint("name"),
    )
    changes = op.create_table(
        "alias_changes",
        sa.Column("alias", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.String(length=63), nullable=True),
        sa.Column("previous", sa.String(length=26), nullable=True),
        sa.Column("model", sa.String(length=26), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["alias"], ["aliases.name"]),
        sa.PrimaryKeyConstraint("alias", "number"),
    )
    default = op.get_bind().scalar(sa.select(sa.func.max(MODELS.c.id)).where(MODELS.c.pinned))
    if default is not None:
        op.bulk_insert(aliases, [{"name": "production", "model": default, "version": 1}])
        first = {
            "alias": "production",
            "number": 1,
            "changed_at": time.time(),
            "model": default,
            "reason": "It was the default model before the upgrade.",
        }
        op.bulk_insert(changes, [first])


def downgrade() -> None:
    op.drop_table("alias_changes")
    op.drop_table("aliases")
