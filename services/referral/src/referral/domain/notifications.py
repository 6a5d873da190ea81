"""What a council's own system is told by webhook: where its referral stands, and nothing about who the person is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.events.base import PackageEvent
from contracts.events.listings import PackageListed, StillListed
from contracts.events.packages import PackagePlaced, PackageWithdrawn, SourcingExhausted, StageEntered
from referral.domain.referral import HistoryEntry, Referral

REFERRAL_RECEIVED: Final = "referral.received"
PACKAGE_PLACED: Final = "package.placed"
PACKAGE_NOT_PLACED_YET: Final = "package.not_placed_yet"
PACKAGE_STOPPED: Final = "package.stopped"
PACKAGE_CHANGED: Final = "package.changed"


@dataclass(frozen=True)
class Notification:
    """One thing to tell a council: `kind`, and the data that JSON can say."""

    kind: str
    data: Mapping[str, object]


def build_notification(
    event: PackageEvent, line: HistoryEntry, *, before: Referral | None, after: Referral, referral_url: str
) -> Notification | None:
    """What `event`, which stands in the history as `line`, is to the council; None where it changes nothing for it.

    `referral_url` is the service's base URL. The sender's own reference can be erased with the person, and no reason
    is told that could be one about the person: both are behind the link.
    """
    kind = REFERRAL_RECEIVED if before is None else _classify(event, before, after)
    if kind is None:
        return None
    data = {
        "referral_id": str(after.referral_id),
        "package_id": str(after.package_id),
        "status": after.status.value,
        "what": line.what.value,
        "at": line.at.isoformat(),
        **({} if line.stage is None else {"stage": line.stage}),
        **(_describe_placement(event) if isinstance(event, PackagePlaced) else {}),
        "links": {"referral": f"{referral_url}/v1/referrals/{after.referral_id}"},
    }
    return Notification(kind, data)


def _classify(event: PackageEvent, before: Referral, after: Referral) -> str | None:
    """While a withdrawal is asked for, only its end is news: what sourcing still says is undone by it."""
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


def _describe_placement(event: PackagePlaced) -> Mapping[str, object]:
    return {"provider_id": str(event.provider_id), "weekly_cost": f"{event.terms.weekly_cost:.2f}"}
