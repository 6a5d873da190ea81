"""Notifications to a council's webhook endpoint: the status of a referral, and nothing that identifies the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.events.base import PackageEvent
from contracts.events.listings import PackageListed, StillListed
from contracts.events.packages import PackageWithdrawn
from contracts.events.searches import PackagePlaced, SourcingExhausted, StageEntered
from referral.domain.referral import HistoryEntry, Referral

REFERRAL_RECEIVED: Final = "referral.received"
PACKAGE_PLACED: Final = "package.placed"
PACKAGE_NOT_PLACED_YET: Final = "package.not_placed_yet"
PACKAGE_STOPPED: Final = "package.stopped"
PACKAGE_CHANGED: Final = "package.changed"


@dataclass(frozen=True)
class Notification:
    """The type and the JSON data of a webhook to a council."""

    kind: str
    data: Mapping[str, object]


def build_notification(
    event: PackageEvent, entry: HistoryEntry, *, before: Referral | None, after: Referral, referral_url: str
) -> Notification | None:
    """Returns the notification about `event`, whose entry in the history is `entry`; None for an event without one.

    `referral_url` is the service's base URL. The data contains neither the council's own reference, which is erased
    with the person, nor a reason, which could be about the person: the council reads both by the link.
    """
    kind = REFERRAL_RECEIVED if before is None else _find_kind(event, before, after)
    if kind is None:
        return None
    data = {
        "referral_id": str(after.referral_id),
        "package_id": str(after.package_id),
        "status": after.status.value,
        "what": entry.kind.value,
        "at": entry.at.isoformat(),
        **({} if entry.stage is None else {"stage": entry.stage}),
        **(_build_placement_data(event) if isinstance(event, PackagePlaced) else {}),
        "links": {"referral": f"{referral_url}/v1/referrals/{after.referral_id}"},
    }
    return Notification(kind, data)


def _find_kind(event: PackageEvent, before: Referral, after: Referral) -> str | None:
    """Returns the kind of notification. During a withdrawal only its end is reported: it undoes events of sourcing."""
    has_changed = after.status is not before.status
    if before.is_being_withdrawn:
        return PACKAGE_STOPPED if has_changed else None
    match event:
        case PackageWithdrawn():
            return PACKAGE_STOPPED
        case PackagePlaced():
            return PACKAGE_PLACED
        case SourcingExhausted() | PackageListed() | StillListed():
            return PACKAGE_NOT_PLACED_YET
        case _:
            return PACKAGE_CHANGED if has_changed or isinstance(event, StageEntered) else None


def _build_placement_data(event: PackagePlaced) -> Mapping[str, object]:
    return {
        "provider_id": str(event.provider_id),
        "weekly_cost": f"{event.terms.weekly_cost:.2f}",
        "fixed_cost": f"{event.terms.fixed_cost:.2f}",
    }
