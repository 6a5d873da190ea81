"""Referral's tables, and the repositories and queries that use them.

Only `persons` identifies the person of a referral. Its contents are bytes that PostgreSQL does not interpret, so that
no constraint, cast or index can quote a name in an error or a log.
"""

from typing import Final

TABLES: Final = """
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
"""
"""`person_key` is an HMAC. It and the row of `persons` can be erased while the referral stays."""
