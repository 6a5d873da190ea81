"""Gives endpoints an instant before which nothing is sent to them; `apply_changes` starts no delivery before it."""

from alembic import op

revision = "0005"
down_revision = "0004"

CHANGES = (
    (
        "coalesce(endpoint.is_enabled, false) AS sendable",
        "coalesce(endpoint.is_enabled, false) AS sendable, endpoint.paused_until AS paused",
    ),
    (
        "disabled_because IS NULL AS is_enabled,",
        "disabled_because IS NULL AS is_enabled, paused_until,",
    ),
    (
        "sendable AND row_number() OVER",
        "sendable AND coalesce(paused <= at, true)\n                      AND row_number() OVER",
    ),
)
"""Texts of the function, each with the text that replaces it."""


def _build_replacement(old: str, new: str) -> str:
    return f"""
DO $migration$
DECLARE
    definition text := pg_get_functiondef(CAST('apply_changes' AS regproc));
BEGIN
    IF strpos(definition, $old${old}$old$) = 0 THEN
        RAISE EXCEPTION 'apply_changes is not the function that this migration changes';
    END IF;
    EXECUTE replace(definition, $old${old}$old$, $new${new}$new$);
END
$migration$
"""


STATEMENTS = (
    "ALTER TABLE endpoints ADD COLUMN paused_until timestamptz",
    "CREATE INDEX endpoints_paused ON endpoints (paused_until) WHERE paused_until IS NOT NULL",
    *(_build_replacement(old, new) for old, new in CHANGES),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
