"""Events of frameworks and their ranked lists; topic `homecare.frameworks.v1`, all by provider-registry."""

from datetime import date

from pydantic import Field

from contracts.events.base import Event
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, GroupKey, LotKey, ProviderId, TierKey
from contracts.values import Value


class Candidate(Value):
    """A provider with its rank in a ranked list."""

    provider_id: ProviderId
    rank: int = Field(ge=1)


class FrameworkPublished(Event):
    """A version of a framework's definition is published; it holds for packages requested from its first day on."""

    definition: FrameworkDefinition

    @property
    def key(self) -> str:
        return self.definition.framework


class RankedListPublished(Event):
    """The order in which one tier of one area is called off, from its go-live date; an empty list is published too."""

    framework: FrameworkKey
    lot: LotKey
    area: AreaCode
    tier: TierKey
    group: GroupKey | None = None
    list_version: int = Field(ge=1)
    issued_on: date
    live_from: date
    ranking: tuple[Candidate, ...]

    @property
    def key(self) -> str:
        return make_ranked_list_key(self.framework, self.lot, self.area, self.tier, self.group)


def make_ranked_list_key(
    framework: FrameworkKey, lot: LotKey, area: AreaCode, tier: TierKey, group: GroupKey | None
) -> str:
    """Returns the stream key of the list of one tier of one area, or of one of its groups: `…/E07000071/tier-1`."""
    key = f"{framework}/{lot}/{area}/{tier}"
    return key if group is None else f"{key}/{group}"
