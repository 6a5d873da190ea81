"""What officers have decided or proposed about a search, as frozen values; a part of the search's state."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contracts.ids import ActId, AreaCode, LotKey, NoteId, ProviderId, ReasonKey, TierKey
from contracts.values import Terms
from sourcing.domain.invariants import reject_if


@dataclass(frozen=True)
class DirectedOffer:
    """An offer that is to be made out of order, by this place of the provider.

    `is_ready` once no second officer is needed or one has approved; it is then made as soon as no other offer is live.
    """

    act_id: ActId
    provider_id: ProviderId
    lot: LotKey
    tier: TierKey
    area: AreaCode
    officer: str
    is_ready: bool


@dataclass(frozen=True)
class HandPlacement:
    """A placement made by hand: complete when it is recorded, or waiting for a second officer above the ceiling."""

    act_id: ActId
    provider_id: ProviderId
    terms: Terms
    officer: str
    reason: ReasonKey
    inadequate_reason: ReasonKey | None = None
    note_id: NoteId | None = None


PendingAct = DirectedOffer | HandPlacement


@dataclass(frozen=True)
class OfficerActs:
    """What officers have decided about a search and what still waits.

    `directed` are the offers out of order in the order in which they are made, `placement` is the placement by hand
    that waits for a second officer, `skipped` the providers of the current stage that officers skipped, and
    `enters_stage` the stage that the search enters next because an officer named it.
    """

    is_paused: bool = False
    directed: tuple[DirectedOffer, ...] = ()
    placement: HandPlacement | None = None
    skipped: tuple[ProviderId, ...] = ()
    enters_stage: str | None = None
    assigned_to: str | None = None

    def __post_init__(self) -> None:
        providers = [offer.provider_id for offer in self.directed]
        reject_if(len(providers) != len(set(providers)), "two offers out of order to one provider wait")

    @property
    def next_offer(self) -> DirectedOffer | None:
        """The offer out of order that is made first."""
        return next((offer for offer in self.directed if offer.is_ready), None)

    @property
    def awaiting_second_officer(self) -> tuple[PendingAct, ...]:
        """The acts that a second officer has to approve or refuse."""
        placement = () if self.placement is None else (self.placement,)
        return (*(offer for offer in self.directed if not offer.is_ready), *placement)

    @property
    def pending(self) -> tuple[PendingAct, ...]:
        """All acts that are not carried out yet."""
        return (*self.directed, *(() if self.placement is None else (self.placement,)))

    def find(self, act_id: ActId) -> PendingAct | None:
        return next((act for act in self.pending if act.act_id == act_id), None)

    def find_directed_to(self, provider_id: ProviderId) -> DirectedOffer | None:
        return next((offer for offer in self.directed if offer.provider_id == provider_id), None)

    def list_providers(self) -> Iterator[ProviderId]:
        """Yield the providers of the acts that are not carried out yet."""
        yield from (act.provider_id for act in self.pending)


NO_ACTS: Final = OfficerActs()
