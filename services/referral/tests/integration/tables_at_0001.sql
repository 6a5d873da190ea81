-- The service's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE referrals (
    package_id uuid PRIMARY KEY,
    referral_id uuid NOT NULL UNIQUE,
    council text NOT NULL,
    service_type text NOT NULL,
    care jsonb NOT NULL,
    wishes jsonb NOT NULL,
    requested_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN
        ('requested', 'sourcing', 'held', 'exhausted', 'listed', 'placed', 'withdrawal requested', 'withdrawn')),
    is_open boolean NOT NULL,
    despite_open_referral text,
    placed_with uuid,
    withdrawal_reason text,
    person_key text
);

CREATE UNIQUE INDEX one_open_referral_of_a_person ON referrals (council, person_key, service_type)
    WHERE is_open AND despite_open_referral IS NULL;

CREATE INDEX open_referrals_of_a_person ON referrals (council, person_key, service_type) WHERE is_open;

CREATE INDEX referrals_of_a_council ON referrals (council, requested_at DESC, referral_id DESC);

CREATE TABLE persons (
    package_id uuid PRIMARY KEY REFERENCES referrals,
    about bytea NOT NULL
);

CREATE TABLE history (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES referrals,
    what text NOT NULL,
    at timestamptz NOT NULL,
    stage text,
    provider_id uuid,
    reason text
);

CREATE INDEX history_of_a_package ON history (package_id, position);

INSERT INTO referrals (package_id, referral_id, council, service_type, care, wishes, requested_at, status,
    is_open, despite_open_referral, placed_with, withdrawal_reason, person_key)
VALUES ('018f0000-0000-7000-8000-000000000007', '018f0000-0000-7000-8000-000000000012', 'amberside',
    'service type', '{}', '{}', '2026-11-26 09:00:00+00', 'placed', true, 'despite open referral',
    '018f0000-0000-7000-8000-000000000013', 'withdrawal reason', 'person key');

INSERT INTO persons (package_id, about)
VALUES ('018f0000-0000-7000-8000-000000000007', '\x7b7d');

INSERT INTO history (package_id, what, at, stage, provider_id, reason)
VALUES ('018f0000-0000-7000-8000-000000000007', 'what', '2026-11-26 09:00:00+00', 'tier-1',
    '018f0000-0000-7000-8000-000000000005', 'reason');
