"""The table of offers; unique indexes refuse a second live offer of one package, unless all providers are asked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from contracts.events.offers import OfferAnswer
from contracts.events.reasons import OfferEnd
from contracts.ids import ActId, AreaCode, LotKey, NoteId, OfferId, PackageId, ProviderId, ReasonKey, TierKey
from contracts.values import Channel, PassOverReason, Terms
from sourcing.domain.making_offers import ONE_MINUTE
from sourcing.domain.offer import Accept, Decline, Offer, OfferStatus, ProviderAnswer
from sourcing.store.columns import parse_instant

TABLES: Final = """
CREATE TABLE offers (
    offer_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    turn smallint NOT NULL,
    provider_id uuid NOT NULL,
    stage text NOT NULL,
    rank integer NOT NULL,
    channel text NOT NULL,
    status text NOT NULL
        CHECK (status IN ('made', 'delivered', 'waiting', 'accepted', 'declined', 'expired', 'withdrawn',
                          'fell through')),
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
    refused_answers text[] NOT NULL DEFAULT '{}',
    deliver_within_minutes integer NOT NULL,
    asks_all boolean NOT NULL DEFAULT false,
    withdrawn_because text,
    tier text,
    place_lot text,
    place_area text,
    act_id uuid,
    UNIQUE (package_id, turn)
);
CREATE UNIQUE INDEX one_live_offer_of_a_package ON offers (package_id)
    WHERE status IN ('made', 'delivered') AND NOT asks_all;
CREATE UNIQUE INDEX one_accepted_offer_of_a_package ON offers (package_id) WHERE status = 'accepted';
CREATE INDEX offers_of_a_provider ON offers (provider_id, made_at DESC, offer_id DESC);
"""

# A part of the statement that saves searches (`searches.py`). Ended offers come first, because the unique index allows
# one live offer of a package.
SAVE_OFFERS: Final = """
    INSERT INTO offers
    SELECT * FROM jsonb_populate_recordset(CAST(NULL AS offers), :rows -> 'offers') AS changed
    ORDER BY changed.status IN ('made', 'delivered')
    ON CONFLICT (offer_id) DO UPDATE SET
        channel = excluded.channel, status = excluded.status, answer_minutes = excluded.answer_minutes,
        delivered_at = excluded.delivered_at, answer_by = excluded.answer_by,
        redirected_at = excluded.redirected_at, outages_counted_to = excluded.outages_counted_to,
        calls = excluded.calls,
        answer = excluded.answer, decline_reason = excluded.decline_reason, note_id = excluded.note_id,
        award_refused_for = excluded.award_refused_for, refused_answers = excluded.refused_answers,
        deliver_within_minutes = excluded.deliver_within_minutes, withdrawn_because = excluded.withdrawn_because
"""


def build_offer_row(offer: Offer, turn: int, package_id: PackageId) -> Mapping[str, object]:
    """Build the row with all columns."""
    decline = offer.answer if isinstance(offer.answer, Decline) else None
    return {
        "offer_id": offer.offer_id,
        "package_id": package_id,
        "turn": turn,
        "provider_id": offer.provider_id,
        "stage": offer.stage,
        "rank": offer.rank,
        "channel": offer.channel.value,
        "status": offer.status.value,
        "terms": offer.terms,
        "weekly_hours": offer.weekly_hours,
        "made_at": offer.made_at,
        "answer_minutes": offer.answer_minutes,
        "in_brokerage_time": offer.in_brokerage_time,
        "delivered_at": offer.delivered_at,
        "answer_by": offer.answer_by,
        "redirected_at": offer.redirected_at,
        "outages_counted_to": offer.outages_counted_to,
        "calls": offer.calls,
        "answer": offer.answer.kind.value if offer.answer else None,
        "decline_reason": decline.reason if decline else None,
        "note_id": decline.note_id if decline else None,
        "award_refused_for": [reason.value for reason in offer.award_refused_for],
        "refused_answers": sorted(answer.value for answer in offer.refused_answers),
        "deliver_within_minutes": offer.deliver_within // ONE_MINUTE,
        "asks_all": offer.asks_all,
        "withdrawn_because": offer.withdrawn_because.value if offer.withdrawn_because else None,
        "tier": offer.tier,
        "place_lot": offer.lot,
        "place_area": offer.area,
        "act_id": offer.act_id,
    }


def parse_offer(row: Mapping[str, Any]) -> Offer:  # one offer as PostgreSQL's row_to_json gives it
    return Offer(
        offer_id=OfferId(UUID(row["offer_id"])),
        stage=row["stage"],
        provider_id=ProviderId(UUID(row["provider_id"])),
        rank=row["rank"],
        channel=Channel(row["channel"]),
        status=OfferStatus(row["status"]),
        terms=Terms.model_validate(row["terms"]),
        weekly_hours=Decimal(row["weekly_hours"]).quantize(Decimal("0.01")),
        made_at=datetime.fromisoformat(row["made_at"]),
        answer_minutes=row["answer_minutes"],
        in_brokerage_time=row["in_brokerage_time"],
        delivered_at=parse_instant(row["delivered_at"]),
        answer_by=parse_instant(row["answer_by"]),
        redirected_at=parse_instant(row["redirected_at"]),
        outages_counted_to=parse_instant(row["outages_counted_to"]),
        calls=row["calls"],
        answer=_parse_answer(row),
        award_refused_for=tuple(map(PassOverReason, row["award_refused_for"])),
        refused_answers=frozenset(map(OfferAnswer, row["refused_answers"])),
        deliver_within=timedelta(minutes=row["deliver_within_minutes"]),
        asks_all=row["asks_all"],
        withdrawn_because=OfferEnd(row["withdrawn_because"]) if row["withdrawn_because"] else None,
        tier=None if row["tier"] is None else TierKey(row["tier"]),
        lot=None if row["place_lot"] is None else LotKey(row["place_lot"]),
        area=None if row["place_area"] is None else AreaCode(row["place_area"]),
        act_id=None if row["act_id"] is None else ActId(UUID(row["act_id"])),
    )


def _parse_answer(row: Mapping[str, Any]) -> ProviderAnswer | None:  # one offer as PostgreSQL's row_to_json gives it
    if row["answer"] is None:
        return None
    if row["answer"] == "accept":
        return Accept()
    note = row["note_id"]
    return Decline(ReasonKey(row["decline_reason"]), None if note is None else NoteId(UUID(note)))
