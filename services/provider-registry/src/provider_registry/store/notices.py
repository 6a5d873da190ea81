"""Notices in PostgreSQL, with the proposals that stand and the officers' calls."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.events.notices import NoticeKind
from contracts.ids import ListId, NoticeId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.domain.announcements import list_channels
from provider_registry.domain.notice import Notice, NoticeFacts, StandingProposal
from provider_registry.domain.open_matters import NOTHING_OPEN, OpenMatters
from provider_registry.ports.notices import CallRecord, MailBounce
from provider_registry.store.known_endpoints import KnownEndpoints
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.mail import to_mailbox

TABLES: Final = """
CREATE TABLE notices (
    notice_id uuid PRIMARY KEY,
    council text NOT NULL,
    package_id uuid,
    list_id uuid,
    kind text NOT NULL,
    about uuid NOT NULL,
    provider_id uuid NOT NULL,
    facts jsonb NOT NULL,
    channel text NOT NULL,
    state text NOT NULL,
    because text,
    mail_id uuid,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    settled_at timestamptz,
    calls integer NOT NULL,
    CHECK ((package_id IS NULL) <> (list_id IS NULL)),
    CHECK ((settled_at IS NULL) = (state IN ('sending', 'to call')))
);
CREATE INDEX notices_of_a_package ON notices (package_id) WHERE package_id IS NOT NULL;
CREATE INDEX notices_of_a_list ON notices (list_id) WHERE list_id IS NOT NULL;
CREATE INDEX notices_to_a_provider ON notices (provider_id, notice_id);
CREATE INDEX pending_notices ON notices (council, due_at, notice_id) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX notices_by_mail ON notices (mail_id) WHERE mail_id IS NOT NULL;

CREATE TABLE standing_proposals (
    package_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (package_id, provider_id)
);

CREATE TABLE notice_calls (
    notice_id uuid NOT NULL REFERENCES notices,
    attempt integer NOT NULL,
    result text NOT NULL,
    officer text NOT NULL,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (notice_id, attempt)
);

CREATE TABLE mail_bounces (
    mail_id uuid PRIMARY KEY,
    council text NOT NULL,
    status text NOT NULL,
    reported_by text NOT NULL,
    reported_at timestamptz NOT NULL
);
"""

SAVE_NOTICES: Final = """
    saved_notices AS (
        INSERT INTO notices (notice_id, council, package_id, list_id, kind, about, provider_id, facts, channel, state,
                             because, mail_id, created_at, due_at, settled_at, calls)
        SELECT notice_id, council, package_id, list_id, kind, about, provider_id, facts, channel, state, because,
               mail_id, created_at, due_at, settled_at, calls
        FROM jsonb_to_recordset(:rows -> 'notices') AS saved(
            notice_id uuid, council text, package_id uuid, list_id uuid, kind text, about uuid, provider_id uuid,
            facts jsonb, channel text, state text, because text, mail_id uuid, created_at timestamptz,
            due_at timestamptz, settled_at timestamptz, calls integer)
        ON CONFLICT (notice_id) DO UPDATE SET
            facts = excluded.facts, channel = excluded.channel, state = excluded.state, because = excluded.because,
            mail_id = excluded.mail_id, due_at = excluded.due_at, settled_at = excluded.settled_at,
            calls = excluded.calls
    ), notified_notices AS (
        UPDATE notices SET state = 'notified', settled_at = notified.settled_at
        FROM jsonb_to_recordset(:rows -> 'notified_notices') AS notified(notice_id uuid, settled_at timestamptz)
        WHERE notices.notice_id = notified.notice_id AND state <> 'notified'
    ), saved_proposals AS (
        INSERT INTO standing_proposals (package_id, provider_id, proposal_id, facts)
        SELECT package_id, provider_id, proposal_id, facts
        FROM jsonb_to_recordset(:rows -> 'standing_proposals') AS saved(
            package_id uuid, provider_id uuid, proposal_id uuid, facts jsonb)
        ON CONFLICT (package_id, provider_id) DO UPDATE SET proposal_id = excluded.proposal_id, facts = excluded.facts
    ), ended_proposals AS (
        DELETE FROM standing_proposals
        WHERE package_id IN (SELECT package_id FROM jsonb_to_recordset(:rows -> 'ended_proposals')
                             AS ended(package_id uuid))
    ), saved_lists AS (
        INSERT INTO issued_lists (list_id, part, council, type, issued)
        SELECT list_id, part, council, type, issued
        FROM jsonb_to_recordset(:rows -> 'issued_lists') AS saved(
            list_id uuid, part integer, council text, type text, issued jsonb)
        ON CONFLICT DO NOTHING
    )
"""
"""Rows of the units of work of a round. Calls and bounces are rare, and written by statements of their own."""

_ADD_CALL = text(
    """
    INSERT INTO notice_calls (notice_id, attempt, result, officer, called_at)
    VALUES (:notice_id, :attempt, :result, :officer, :called_at)
    """
)
_ADD_BOUNCE = text(
    """
    INSERT INTO mail_bounces (mail_id, council, status, reported_by, reported_at)
    VALUES (:mail_id, :council, :status, :reported_by, :reported_at)
    """
)
_NOTICE = text("SELECT CAST(row_to_json(notices) AS text) AS notice FROM notices WHERE notice_id = :notice_id")
_NOTICE_BY_MAIL = text("SELECT CAST(row_to_json(notices) AS text) AS notice FROM notices WHERE mail_id = :mail_id")
_NOTICES_ABOUT = text(
    """
    SELECT CAST(row_to_json(notices) AS text) AS notice FROM notices
    WHERE package_id = :package_id AND kind = :kind AND about = :about ORDER BY notice_id DESC
    """
)
_OPEN_OF_LIST = text(
    """
    SELECT CAST(row_to_json(notices) AS text) AS notice FROM notices
    WHERE list_id = :list_id AND settled_at IS NULL ORDER BY notice_id
    """
)
_HAS_BOUNCED = text("SELECT 1 FROM mail_bounces WHERE mail_id = :mail_id")
# `endpoints` is a table of the runtime: a mailbox is a row of its own.
_CHANNELS = text("SELECT owner FROM endpoints WHERE owner = ANY(CAST(:owners AS text[]))")

_NOTICE_ADAPTER: Final = TypeAdapter(Notice)
_OPEN_NOTICES: Final = TypeAdapter(tuple[Notice, ...])
_PROPOSALS: Final = TypeAdapter(tuple[StandingProposal, ...])
_FACTS: Final = TypeAdapter(NoticeFacts)


class PostgresNotices:
    """Repository of notices."""

    def __init__(self, work: PostgresUnitOfWork, known_endpoints: KnownEndpoints) -> None:
        self._work = work
        self._known_endpoints = known_endpoints

    async def find(self, notice_id: NoticeId) -> Notice | None:
        return to_notice((await self._work.execute(_NOTICE, {"notice_id": notice_id})).one_or_none())

    async def find_by_mail(self, mail_id: UUID) -> Notice | None:
        return to_notice((await self._work.execute(_NOTICE_BY_MAIL, {"mail_id": mail_id})).one_or_none())

    async def find_newest(self, package_id: PackageId, kind: NoticeKind, about: UUID) -> Notice | None:
        arguments = {"package_id": package_id, "kind": kind.value, "about": about}
        return to_notice((await self._work.execute(_NOTICES_ABOUT, arguments)).first())

    def get_open_matters(self) -> OpenMatters:
        matters: OpenMatters | None = self._work.state
        return NOTHING_OPEN if matters is None else matters

    async def list_open_of_list(self, list_id: ListId) -> Sequence[Notice]:
        rows = await self._work.execute(_OPEN_OF_LIST, {"list_id": list_id})
        return [_NOTICE_ADAPTER.validate_json(row.notice) for row in rows]

    async def find_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, tuple[Channel, ...]]:
        owners = [owner for each in providers for owner in (str(each), to_mailbox(str(each)))]
        found = {row.owner for row in await self._work.execute(_CHANNELS, {"owners": owners})}
        return {
            each: list_channels(webhook=str(each) in found, email=to_mailbox(str(each)) in found) for each in providers
        }

    async def find_first_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, Channel]:
        first = {each: Channel.WEBHOOK for each in providers if each in self._known_endpoints}
        unknown = [each for each in providers if each not in first]
        if unknown:
            first |= {key: channels[0] for key, channels in (await self.find_channels(unknown)).items()}
        for key, channel in first.items():
            if channel is Channel.WEBHOOK:
                self._known_endpoints.add(key)
        return first

    async def has_bounced(self, mail_id: UUID) -> bool:
        return (await self._work.execute(_HAS_BOUNCED, {"mail_id": mail_id})).first() is not None

    def save(self, notice: Notice) -> None:
        self._work.put_row("notices", notice.notice_id, _to_row(notice))
        if notice.package_id is not None:
            self._work.state = self.get_open_matters().with_notice(notice)

    def mark_notified(self, notice_id: NoticeId, at: datetime) -> None:
        row = {"notice_id": notice_id, "settled_at": at}
        self._work.put_row("notified_notices", notice_id, row)
        self._work.state = self.get_open_matters().without_notice(notice_id)

    def save_proposal(self, package_id: PackageId, proposal: StandingProposal) -> None:
        row = {
            "package_id": package_id,
            "provider_id": proposal.provider_id,
            "proposal_id": proposal.proposal_id,
            "facts": _dump_facts(proposal.facts),
        }
        self._work.put_row("standing_proposals", (package_id, proposal.provider_id), row)
        self._work.state = self.get_open_matters().with_proposal(proposal)

    def end_proposals(self, package_id: PackageId) -> None:
        self._work.put_row("ended_proposals", package_id, {"package_id": package_id})
        self._work.state = self.get_open_matters().without_proposals()

    def add_call(self, notice: Notice, call: CallRecord) -> None:
        self._work.write(
            _ADD_CALL,
            {
                "notice_id": notice.notice_id,
                "attempt": call.attempt,
                "result": call.result.value,
                "officer": call.officer,
                "called_at": call.called_at,
            },
            rows=1,
        )

    def add_bounce(self, bounce: MailBounce) -> None:
        self._work.write(
            _ADD_BOUNCE,
            {
                "mail_id": bounce.mail_id,
                "council": self._work.cause.council,
                "status": bounce.status,
                "reported_by": self._work.cause.actor,
                "reported_at": self._work.now,
            },
            rows=1,
        )


def _parse_open_matters(row: Any) -> OpenMatters:  # a row's attributes are its columns
    notices = () if row.open_notices is None else _OPEN_NOTICES.validate_json(row.open_notices)
    return OpenMatters(notices, () if row.proposals is None else _PROPOSALS.validate_json(row.proposals))


OPEN_MATTERS_STATE: Final = StateQuery(
    PACKAGES,
    """
    SELECT (SELECT CAST(json_agg(notices ORDER BY notice_id) AS text) FROM notices
            WHERE notices.package_id = wanted.id AND settled_at IS NULL) AS open_notices,
           (SELECT CAST(json_agg(standing_proposals ORDER BY provider_id) AS text) FROM standing_proposals
            WHERE standing_proposals.package_id = wanted.id) AS proposals
    """,
    _parse_open_matters,
)
"""The state of a package's stream: what is open about it."""


def to_notice(row: Any) -> Notice | None:  # a row's attributes are its columns
    return None if row is None else _NOTICE_ADAPTER.validate_json(row.notice)


def _dump_facts(facts: NoticeFacts) -> object:
    return _FACTS.dump_python(facts, mode="json", exclude_none=True)


def _to_row(notice: Notice) -> Mapping[str, object]:
    return {
        "notice_id": notice.notice_id,
        "council": notice.council,
        "package_id": notice.package_id,
        "list_id": notice.list_id,
        "kind": notice.kind.value,
        "about": notice.about,
        "provider_id": notice.provider_id,
        "facts": _dump_facts(notice.facts),
        "channel": notice.channel.value,
        "state": notice.state.value,
        "because": None if notice.because is None else notice.because.value,
        "mail_id": notice.mail_id,
        "created_at": notice.created_at,
        "due_at": notice.due_at,
        "settled_at": notice.settled_at,
        "calls": notice.calls,
    }
