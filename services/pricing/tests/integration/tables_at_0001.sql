-- The service's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE selections (
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
);

CREATE INDEX selections_of_a_council ON selections (council, selected_at DESC, selection_id DESC);

CREATE TABLE purchase_orders (
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
);

CREATE UNIQUE INDEX one_standing_order_of_a_package ON purchase_orders (package_id) WHERE cancelled_at IS NULL;

CREATE INDEX orders_of_a_package ON purchase_orders (package_id, issued_at);

CREATE INDEX orders_of_a_council ON purchase_orders (council, issued_at DESC, order_id DESC);

CREATE FUNCTION next_order_number(of_council text, of_year integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    numbers text := format('%I', 'order_numbers_' || of_council || '_' || of_year);
BEGIN
    IF to_regclass(numbers) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(numbers, 0));
        EXECUTE 'CREATE SEQUENCE IF NOT EXISTS ' || numbers;
    END IF;
    RETURN nextval(to_regclass(numbers));
END $$;

CREATE TABLE spot_prices (
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
    late_decisions jsonb NOT NULL DEFAULT '[]',
    UNIQUE (award_id, first_officer)
);

CREATE INDEX spot_prices_of_a_package ON spot_prices (package_id);

CREATE INDEX spot_prices_of_a_council ON spot_prices (council, asked_at DESC, award_id DESC);

CREATE TABLE price_decisions (
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
);

INSERT INTO selections (selection_id, council, provider_id, framework, area, valid_from, matrix_version, rates,
    selected_at)
VALUES ('018f0000-0000-7000-8000-000000000004', 'amberside', '018f0000-0000-7000-8000-000000000005',
    'amberside-home-care-2025', 'E07000071', '2026-12-07', 1, '{}', '2026-11-26 09:00:00+00');

INSERT INTO purchase_orders (order_id, council, reference, package_id, placement_id, provider_id, framework,
    price_list, starts_on, lines, weekly_cost, issued_at, issued_on, cancelled_at, cancelled_for)
VALUES ('018f0000-0000-7000-8000-000000000006', 'amberside', 'PO-2026-000001',
    '018f0000-0000-7000-8000-000000000007', '018f0000-0000-7000-8000-000000000008',
    '018f0000-0000-7000-8000-000000000005', 'amberside-home-care-2025', 'price list', '2026-12-07', '{}', 24.10,
    '2026-11-26 09:00:00+00', '2026-12-07', NULL, NULL);

INSERT INTO spot_prices (award_id, council, package_id, proposal_id, provider_id, terms, ceiling,
    first_officer, inadequate_reason, asked_at, lapsed_because, late_decisions)
VALUES ('018f0000-0000-7000-8000-000000000009', 'amberside', '018f0000-0000-7000-8000-000000000007',
    '018f0000-0000-7000-8000-000000000010', '018f0000-0000-7000-8000-000000000005', '{}', 24.10,
    'officer:first', 'inadequate reason', '2026-11-26 09:00:00+00', 'lapsed because',
    '[{"officer": "officer:third"}]');

INSERT INTO price_decisions (award_id, first_officer, officer, decision, refusal, decided_at)
VALUES ('018f0000-0000-7000-8000-000000000009', 'officer:first', 'officer:second', 'refused', 'too high',
    '2026-11-26 09:00:00+00');
