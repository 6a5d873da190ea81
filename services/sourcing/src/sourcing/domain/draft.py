"""A decision in progress. Each published event is applied to the search at once, so state derives from events alone."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.events.base import PackageEvent
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import NewId, SearchId
from sourcing.domain.calendar import BrokerageCalendar
from sourcing.domain.competitions.competition import Competition
from sourcing.domain.errors import MarketNotKnown
from sourcing.domain.evolution import update_search
from sourcing.domain.listed_package import Listing
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.search import CurrentStage, Placement, Search


@dataclass
class Draft:
    """The input of decision functions: the search after each event, the market, the instant, and a source of ids.

    `before` is the search as it was loaded; None when this decision begins it. The properties below return values that
    a decision relies on, and raise ValueError where the search has none.
    """

    search: Search
    market: MarketSnapshot
    at: datetime
    new_id: NewId
    before: Search | None
    events: list[PackageEvent] = field(default_factory=list[PackageEvent])

    def publish(self, *events: PackageEvent) -> None:
        """Collect events and apply them to the search."""
        for event in events:
            self.search = update_search(self.search, event, self.at)
            self.events.append(event)

    @property
    def definition(self) -> FrameworkDefinition:
        """The framework definition. Raises MarketNotKnown where it is missing."""
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
        """The calendar day in the brokerage's time zone."""
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
    def competition(self) -> Competition:
        if self.search.competition is None:
            message = f"package {self.search.package_id} was never competed for"
            raise ValueError(message)
        return self.search.competition

    @property
    def placement(self) -> Placement:
        if self.search.placement is None:
            message = f"package {self.search.package_id} was never placed"
            raise ValueError(message)
        return self.search.placement
