"""Replaces the market's tables: places with dates and states, histories of ratings, proposed definitions."""

from alembic import op

revision = "0008"
down_revision = "0007"

# No release has rows in these tables.
STATEMENTS = (
    "DROP TABLE capacities, memberships, branches, providers, ranked_lists, definitions",
    """CREATE TABLE definitions (
    framework text NOT NULL,
    version integer NOT NULL,
    council text NOT NULL,
    first_day date NOT NULL,
    definition jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    approved_by text NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, version)
)""",
    "CREATE INDEX definitions_of_a_council ON definitions (council, framework, version)",
    """CREATE TABLE proposed_definitions (
    framework text PRIMARY KEY,
    council text NOT NULL,
    definition jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL
)""",
    """CREATE TABLE ranked_lists (
    framework text NOT NULL,
    lot text NOT NULL,
    area text NOT NULL,
    tier text NOT NULL,
    list_group text NOT NULL,
    list_version integer NOT NULL,
    issued_on date NOT NULL,
    live_from date NOT NULL,
    ranking uuid[] NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, lot, area, tier, list_group, list_version)
)""",
    """CREATE TABLE providers (
    provider_id uuid PRIMARY KEY,
    council text NOT NULL,
    name text NOT NULL,
    turnover numeric(12, 2),
    turnover_evidence text,
    phone text NOT NULL,
    embargo text,
    spot_areas text[] NOT NULL,
    version integer NOT NULL,
    registered_at timestamptz NOT NULL,
    skills jsonb NOT NULL,
    published_places jsonb,
    published_skills text[] NOT NULL,
    published_channels text[],
    published_spot_areas text[] NOT NULL,
    published_rating text NOT NULL
)""",
    "CREATE INDEX providers_of_a_council ON providers (council, registered_at DESC, provider_id DESC)",
    "CREATE INDEX providers_outside_frameworks ON providers USING gin (spot_areas)",
    "CREATE INDEX providers_by_published_place ON providers USING gin (published_places jsonb_path_ops)",
    """CREATE TABLE branches (
    provider_id uuid NOT NULL REFERENCES providers,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    outward_code text NOT NULL,
    domiciliary_care boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'dormant', 'deregistered')),
    ratings jsonb NOT NULL,
    findings jsonb NOT NULL,
    PRIMARY KEY (provider_id, branch_id)
)""",
    """CREATE TABLE places (
    provider_id uuid NOT NULL REFERENCES providers,
    framework text NOT NULL,
    lot text NOT NULL,
    area text NOT NULL,
    tier text NOT NULL,
    service_types text[] NOT NULL,
    number integer,
    applied_on date,
    awarded_on date,
    joined_on date NOT NULL,
    until date,
    existing_until date,
    changes jsonb NOT NULL,
    approval jsonb,
    PRIMARY KEY (framework, lot, area, tier, provider_id)
)""",
    "CREATE INDEX places_of_a_provider ON places (provider_id)",
    """CREATE TABLE capacities (
    provider_id uuid NOT NULL REFERENCES providers,
    area text NOT NULL,
    free_hours numeric(8, 2) NOT NULL,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (provider_id, area)
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
