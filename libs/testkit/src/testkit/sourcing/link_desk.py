"""A coordinator with the link of a mail, for tests of offer links."""

from dataclasses import dataclass
from typing import Final

import pytest

from testkit.http_response import HttpResponse
from testkit.sourcing.harness import SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket

pytestmark = pytest.mark.xdist_group("sourcing")
ACCEPT: Final = b"answer=accept"
DECLINE: Final = b"answer=decline&reason=too-far"


@dataclass(frozen=True)
class LinkDesk:
    """Alder's coordinator, with a mail about an offer that was delivered at nine; Birch comes next."""

    harness: SourcingHarness
    market: ScenarioMarket
    offer: OfferResponse
    link: str

    async def open_link(self) -> HttpResponse:
        return await self.harness.browse(self.link)

    async def send_form(self, form: bytes) -> HttpResponse:
        return await self.harness.browse(self.link, method="POST", form=form)

    async def list_event_types(self) -> list[str]:
        return (await self.harness.list_event_types([self.offer.package_id]))[self.offer.package_id]
