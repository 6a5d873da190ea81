"""Events of frameworks and their ranked lists; topic `homecare.frameworks.v1`, all by provider-registry."""

from datetime import date

from pydantic import Field

from contracts.events.base import Event
from contracts.events.packages import Candidate
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier


class FrameworkPublished(Event):
    """A version of a framework's definition is in force for searches that start from now on."""

    definition: FrameworkDefinition

    @property
    def key(self) -> str:
        return self.definition.framework


class RankedListPublished(Event):
    """The order in which one tier of one area is called off, from its go-live date; an empty list is published too."""

    framework: FrameworkKey
    area: AreaCode
    tier: Tier
    list_version: int = Field(ge=1)
    issued_on: date
    live_from: date
    ranking: tuple[Candidate, ...]

    @property
    def key(self) -> str:
        return make_ranked_list_key(self.framework, self.area, self.tier)


def make_ranked_list_key(framework: FrameworkKey, area: AreaCode, tier: Tier) -> str:
    """Returns the stream key of one tier of one area: `essex-live-at-home-2025/E07000071/1`."""
    return f"{framework}/{area}/{int(tier)}"
