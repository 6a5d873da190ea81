"""Creates the runtime's tables, and selected rates, purchase orders and spot prices."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE streams (
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    head text NOT NULL DEFAULT repeat('0', 64),
    parked_because text,
    parked_at timestamptz,
    PRIMARY KEY (topic, key)
) WITH (fillfactor = 70)""",
    "CREATE INDEX streams_parked ON streams (parked_at, topic, key) WHERE parked_because IS NOT NULL",
    """CREATE TABLE journal (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    cause text NOT NULL,
    headers bytea NOT NULL,
    payload bytea NOT NULL,
    hash text NOT NULL,
    UNIQUE (topic, key, version)
)""",
    """CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TABLE outbox (
    position bigint PRIMARY KEY REFERENCES journal,
    refused_because text
)""",
    "CREATE INDEX outbox_refused ON outbox (position) WHERE refused_because IS NOT NULL",
    """CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL,
    discarded_because text
)""",
    """CREATE TABLE commands (
    caller text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint text NOT NULL,
    received_at timestamptz NOT NULL,
    status smallint,
    headers text,
    answer bytea,
    PRIMARY KEY (caller, idempotency_key)
)""",
    """CREATE TABLE timers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    due_at timestamptz NOT NULL,
    precedence smallint NOT NULL,
    council text NOT NULL,
    armed_by text NOT NULL,
    traceparent text NOT NULL,
    UNIQUE (topic, key, kind, about)
)""",
    "CREATE INDEX timers_due ON timers (due_at, precedence)",
    """CREATE TABLE pulse (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen_at timestamptz NOT NULL
)""",
    """CREATE TABLE outages (
    down_from timestamptz PRIMARY KEY,
    up_at timestamptz NOT NULL
)""",
    """CREATE TABLE parked (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    headers bytea NOT NULL,
    payload bytea NOT NULL,
    arrived_at timestamptz NOT NULL,
    failure text
)""",
    "CREATE INDEX parked_by_stream ON parked (topic, key, position)",
    """CREATE TABLE views (
    view text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (view, key)
)""",
    """CREATE TABLE holds (
    view text NOT NULL,
    view_key text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    council text NOT NULL,
    PRIMARY KEY (view, view_key, topic, key)
)""",
    """CREATE TABLE endpoints (
    owner text PRIMARY KEY,
    url text NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_secret_until timestamptz,
    disabled_because text,
    changed_at timestamptz NOT NULL
)""",
    """CREATE TABLE deliveries (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    owner text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    council text NOT NULL,
    caused_by text NOT NULL,
    traceparent text NOT NULL,
    body bytea NOT NULL,
    queued_at timestamptz NOT NULL,
    first_attempt_at timestamptz,
    next_attempt_at timestamptz NOT NULL,
    give_up_after interval NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lease uuid,
    failure text,
    outcome text CHECK (outcome IN ('delivered', 'undeliverable', 'cancelled')),
    decided_at timestamptz,
    finished_at timestamptz,
    CHECK (finished_at IS NULL OR outcome IS NOT NULL)
)""",
    "CREATE INDEX deliveries_in_order ON deliveries (owner, topic, key, position) WHERE finished_at IS NULL",
    "CREATE INDEX deliveries_due ON deliveries (next_attempt_at, position) WHERE finished_at IS NULL",
    "CREATE INDEX deliveries_by_stream ON deliveries (topic, key, position)",
    "CREATE INDEX deliveries_by_owner ON deliveries (owner, position)",
    """CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    took_ms integer NOT NULL,
    status smallint,
    failure text,
    PRIMARY KEY (delivery_id, attempt)
)""",
    """CREATE TABLE selections (
    selection_id uuid PRIMARY KEY,
    council text NOT NULL,
    provider_id uuid NOT NULL,
    framework text NOT NULL,
    area text NOT NULL,
    valid_from date NOT NULL,
    matrix_version integer NOT NULL,
    rates jsonb NOT NULL,
    selected_at timestamptz NOT NULL,
    CONSTRAINT one_selection_a_day UNIQUE (provider_id, framework, area, valid_from)
)""",
    "CREATE INDEX selections_of_a_council ON selections (council, selected_at DESC, selection_id DESC)",
    """CREATE TABLE purchase_orders (
    order_id uuid PRIMARY KEY,
    council text NOT NULL,
    reference text NOT NULL,
    package_id uuid NOT NULL,
    placement_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    framework text NOT NULL,
    price_list text NOT NULL,
    starts_on date NOT NULL,
    lines jsonb NOT NULL,
    weekly_cost numeric(12, 2) NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    cancelled_at timestamptz,
    cancelled_for text,
    CONSTRAINT one_order_of_a_placement UNIQUE (placement_id),
    CONSTRAINT one_order_of_a_reference UNIQUE (council, reference),
    CHECK ((cancelled_at IS NULL) = (cancelled_for IS NULL))
)""",
    "CREATE UNIQUE INDEX one_standing_order_of_a_package ON purchase_orders (package_id) WHERE cancelled_at IS NULL",
    "CREATE INDEX orders_of_a_package ON purchase_orders (package_id, issued_at)",
    "CREATE INDEX orders_of_a_council ON purchase_orders (council, issued_at DESC, order_id DESC)",
    """CREATE FUNCTION next_order_number(of_council text, of_year integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    numbers text := format('%I', 'order_numbers_' || of_council || '_' || of_year);
BEGIN
    IF to_regclass(numbers) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(numbers, 0));
        EXECUTE 'CREATE SEQUENCE IF NOT EXISTS ' || numbers;
    END IF;
    RETURN nextval(to_regclass(numbers));
END $$""",
    """CREATE TABLE spot_prices (
    award_id uuid PRIMARY KEY,
    council text NOT NULL,
    package_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    terms jsonb NOT NULL,
    ceiling numeric(12, 2) NOT NULL,
    first_officer text NOT NULL,
    inadequate_reason text,
    asked_at timestamptz NOT NULL,
    lapsed_because text,
    UNIQUE (award_id, first_officer)
)""",
    "CREATE INDEX spot_prices_of_a_package ON spot_prices (package_id)",
    "CREATE INDEX spot_prices_of_a_council ON spot_prices (council, asked_at DESC, award_id DESC)",
    """CREATE TABLE price_decisions (
    award_id uuid CONSTRAINT one_decision_of_an_award PRIMARY KEY,
    first_officer text NOT NULL,
    officer text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approved', 'refused')),
    refusal text,
    decided_at timestamptz NOT NULL,
    FOREIGN KEY (award_id, first_officer) REFERENCES spot_prices (award_id, first_officer),
    CONSTRAINT two_people CHECK
        (substr(officer, strpos(officer, ':') + 1) <> substr(first_officer, strpos(first_officer, ':') + 1)),
    CHECK ((decision = 'refused') = (refusal IS NOT NULL))
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
