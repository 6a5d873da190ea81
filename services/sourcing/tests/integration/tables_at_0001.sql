-- The service's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE searches (
    package_id uuid PRIMARY KEY,
    council text NOT NULL,
    search_id uuid,
    status text NOT NULL CHECK (status IN ('running', 'held', 'listed', 'placed', 'exhausted', 'stopped')),
    care jsonb NOT NULL,
    wishes jsonb NOT NULL,
    requested_at timestamptz NOT NULL,
    started_at timestamptz,
    definition_version integer,
    stage text,
    tier smallint,
    list_version integer,
    candidates jsonb NOT NULL,
    tried uuid[] NOT NULL,
    listing jsonb,
    listing_reference uuid UNIQUE GENERATED ALWAYS AS (CAST(listing #>> '{advert,reference}' AS uuid)) STORED,
    listed_at timestamptz,
    missing text[] NOT NULL,
    needs_a_person text CHECK (needs_a_person IN ('exhausted', 'held', 'call', 'open')),
    changed_at timestamptz NOT NULL,
    CHECK (status <> 'listed' OR listing IS NOT NULL)
);

CREATE INDEX open_to_all ON searches (council, listed_at DESC, listing_reference DESC) WHERE status = 'listed';

CREATE INDEX open_searches ON searches (status, stage, requested_at)
    WHERE status IN ('running', 'held', 'listed', 'exhausted');

CREATE INDEX searches_needing_a_person ON searches (council, changed_at) WHERE needs_a_person IS NOT NULL;

CREATE TABLE offers (
    offer_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    turn smallint NOT NULL,
    provider_id uuid NOT NULL,
    stage text NOT NULL,
    rank integer NOT NULL,
    channel text NOT NULL,
    status text NOT NULL CHECK (status IN ('made', 'delivered', 'accepted', 'declined', 'expired', 'withdrawn')),
    terms jsonb NOT NULL,
    weekly_hours numeric(8, 2) NOT NULL,
    made_at timestamptz NOT NULL,
    answer_minutes integer NOT NULL,
    in_brokerage_time boolean NOT NULL,
    delivered_at timestamptz,
    answer_by timestamptz,
    redirected_at timestamptz,
    outages_counted_to timestamptz,
    calls smallint NOT NULL,
    answer text CHECK (answer IN ('accept', 'decline')),
    decline_reason text,
    note_id uuid,
    award_refused_for text[] NOT NULL,
    UNIQUE (package_id, turn)
);

CREATE UNIQUE INDEX one_live_offer_of_a_package ON offers (package_id) WHERE status IN ('made', 'delivered');

CREATE INDEX offers_of_a_provider ON offers (provider_id, made_at DESC, offer_id DESC);

CREATE TABLE placements (
    placement_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    offer_id uuid UNIQUE REFERENCES offers,
    proposal_id uuid UNIQUE,
    provider_id uuid NOT NULL,
    area text NOT NULL,
    weekly_hours numeric(8, 2) NOT NULL,
    terms jsonb NOT NULL,
    placed_at timestamptz NOT NULL,
    voided boolean NOT NULL,
    CHECK (num_nonnulls(offer_id, proposal_id) = 1)
);

CREATE UNIQUE INDEX one_standing_placement_of_a_package ON placements (package_id) WHERE NOT voided;

CREATE INDEX placements_of_a_package ON placements (package_id, placed_at);

CREATE INDEX placements_of_a_provider ON placements (provider_id, area, placed_at) WHERE NOT voided;

INSERT INTO searches (package_id, council, search_id, status, care, wishes, requested_at, started_at,
    definition_version, stage, tier, list_version, candidates, tried, listing, listed_at, missing,
    needs_a_person, changed_at)
VALUES ('018f0000-0000-7000-8000-000000000007', 'amberside', '018f0000-0000-7000-8000-000000000014', 'placed',
    '{}', '{}', '2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00', 1, 'tier-1', 1, 1, '{}', '{}',
    '{"advert": {"reference": "018f0000-0000-7000-8000-000000000099"}}', '2026-11-26 09:00:00+00', '{}', NULL,
    '2026-11-26 09:00:00+00');

INSERT INTO offers (offer_id, package_id, turn, provider_id, stage, rank, channel, status, terms, weekly_hours,
    made_at, answer_minutes, in_brokerage_time, delivered_at, answer_by, redirected_at, outages_counted_to,
    calls, answer, decline_reason, note_id, award_refused_for)
VALUES ('018f0000-0000-7000-8000-000000000015', '018f0000-0000-7000-8000-000000000007', 1,
    '018f0000-0000-7000-8000-000000000005', 'tier-1', 1, 'channel', 'declined', '{}', 24.10,
    '2026-11-26 09:00:00+00', 1, true, '2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00',
    '2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00', 1, 'decline', 'too far to travel',
    '018f0000-0000-7000-8000-000000000016', '{}');

INSERT INTO placements (placement_id, package_id, offer_id, proposal_id, provider_id, area, weekly_hours,
    terms, placed_at, voided)
VALUES ('018f0000-0000-7000-8000-000000000008', '018f0000-0000-7000-8000-000000000007', NULL,
    '018f0000-0000-7000-8000-000000000010', '018f0000-0000-7000-8000-000000000005', 'E07000071', 24.10, '{}',
    '2026-11-26 09:00:00+00', true);
