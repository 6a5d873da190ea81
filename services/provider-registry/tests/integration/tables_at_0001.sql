-- The service's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE definitions (
    framework text NOT NULL,
    version integer NOT NULL,
    council text NOT NULL,
    definition jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, version)
);

CREATE TABLE ranked_lists (
    framework text NOT NULL,
    area text NOT NULL,
    tier smallint NOT NULL,
    list_version integer NOT NULL,
    issued_on date NOT NULL,
    live_from date NOT NULL,
    ranking uuid[] NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (framework, area, tier, list_version)
);

CREATE TABLE providers (
    provider_id uuid PRIMARY KEY,
    council text NOT NULL,
    name text NOT NULL,
    service_types text[] NOT NULL,
    turnover numeric(12, 2),
    phone text NOT NULL,
    embargo text,
    spot_areas text[] NOT NULL,
    version integer NOT NULL,
    registered_at timestamptz NOT NULL,
    told_memberships jsonb,
    told_service_types text[] NOT NULL,
    told_channels text[],
    told_spot_areas text[] NOT NULL,
    told_rating text NOT NULL
);

CREATE INDEX providers_of_a_council ON providers (council, registered_at DESC, provider_id DESC);

CREATE INDEX providers_outside_frameworks ON providers USING gin (spot_areas);

CREATE TABLE branches (
    provider_id uuid NOT NULL REFERENCES providers,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    outward_code text NOT NULL,
    domiciliary_care boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'dormant', 'deregistered')),
    rating text NOT NULL,
    published_on date,
    PRIMARY KEY (provider_id, branch_id)
);

CREATE TABLE memberships (
    provider_id uuid NOT NULL REFERENCES providers,
    framework text NOT NULL,
    area text NOT NULL,
    tier smallint NOT NULL,
    PRIMARY KEY (framework, area, tier, provider_id)
);

CREATE INDEX memberships_of_a_provider ON memberships (provider_id);

CREATE TABLE capacities (
    provider_id uuid NOT NULL REFERENCES providers,
    area text NOT NULL,
    free_hours numeric(8, 2) NOT NULL,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (provider_id, area)
);

INSERT INTO definitions (framework, version, council, definition, published_at)
VALUES ('essex-live-at-home-2025', 1, 'essex', '{}', '2026-11-26 09:00:00+00');

INSERT INTO ranked_lists (framework, area, tier, list_version, issued_on, live_from, ranking, published_at)
VALUES ('essex-live-at-home-2025', 'E07000071', 1, 1, '2026-12-07', '2026-12-07', '{}', '2026-11-26 09:00:00+00');

INSERT INTO providers (provider_id, council, name, service_types, turnover, phone, embargo, spot_areas,
    version, registered_at, told_memberships, told_service_types, told_channels, told_spot_areas, told_rating)
VALUES ('018f0000-0000-7000-8000-000000000005', 'essex', 'name', '{}', 24.10, 'phone', 'embargo', '{}', 1,
    '2026-11-26 09:00:00+00', '{}', '{}', '{}', '{}', 'told rating');

INSERT INTO branches (provider_id, branch_id, name, outward_code, domiciliary_care, status, rating, published_on)
VALUES ('018f0000-0000-7000-8000-000000000005', '018f0000-0000-7000-8000-000000000011', 'name', 'outward code',
    true, 'active', 'Good', '2026-12-07');

INSERT INTO memberships (provider_id, framework, area, tier)
VALUES ('018f0000-0000-7000-8000-000000000005', 'essex-live-at-home-2025', 'E07000071', 1);

INSERT INTO capacities (provider_id, area, free_hours, declared_at)
VALUES ('018f0000-0000-7000-8000-000000000005', 'E07000071', 24.10, '2026-11-26 09:00:00+00');
