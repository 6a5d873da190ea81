"""A step in the making: what is published is folded into the search at once, so the record alone makes the state."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.events.base import PackageEvent
from contracts.framework import FrameworkDefinition
from contracts.ids import NewId, SearchId
from sourcing.domain.calendar import BrokerageCalendar
from sourcing.domain.errors import MarketNotKnown
from sourcing.domain.evolution import evolved
from sourcing.domain.market import Market
from sourcing.domain.search import CurrentStage, Listing, Placement, Search


@dataclass
class Course:
    """What the rules work on: the search as it stands after each event, the market, the instant, fresh ids."""

    search: Search
    market: Market
    at: datetime
    new_id: NewId
    events: list[PackageEvent] = field(default_factory=list[PackageEvent])
    looked_for_provider: bool = False
    waits_to_redirect: bool = False

    def publish(self, *events: PackageEvent) -> None:
        for event in events:
            self.search = evolved(self.search, event, self.at)
            self.events.append(event)

    @property
    def definition(self) -> FrameworkDefinition:
        """The definition, where the rules cannot do without. Raises MarketNotKnown."""
        if self.market.definition is None:
            raise MarketNotKnown(
                f"the definition of {self.search.care.framework} is not known here yet; try again", retry_after=1
            )
        return self.market.definition

    @property
    def calendar(self) -> BrokerageCalendar:
        return BrokerageCalendar(self.definition.brokerage)

    @property
    def local_day(self) -> date:
        """The day on the office's wall calendar."""
        return self.at.astimezone(ZoneInfo(self.definition.brokerage.timezone)).date()

    @property
    def search_id(self) -> SearchId:
        if self.search.search_id is None:
            message = f"the search for package {self.search.package_id} has not started yet"
            raise ValueError(message)
        return self.search.search_id

    @property
    def stage(self) -> CurrentStage:
        if self.search.stage is None:
            message = f"the search for package {self.search.package_id} has not entered a stage yet"
            raise ValueError(message)
        return self.search.stage

    @property
    def listing(self) -> Listing:
        if self.search.listing is None:
            message = f"package {self.search.package_id} was never open to all"
            raise ValueError(message)
        return self.search.listing

    @property
    def placement(self) -> Placement:
        if self.search.placement is None:
            message = f"package {self.search.package_id} was never placed"
            raise ValueError(message)
        return self.search.placement
