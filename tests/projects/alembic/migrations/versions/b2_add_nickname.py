"""Customers may have a nickname."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.add_column("customers", sa.Column("nickname", sa.Text))


def downgrade():
    op.drop_column("customers", "nickname")
