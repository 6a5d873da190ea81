"""What pricing does when something happens: load, decide, save, publish."""

from dataclasses import dataclass
from datetime import date

from contracts.events.listings import AwardAwaitsApproval, AwardEnd, AwardLapsed
from contracts.events.orders import SpotPriceRefusal
from contracts.events.packages import PackagePlaced, PlacementVoided, SourcingStopped
from contracts.events.rates import RatesSelected
from contracts.ids import AwardId, CouncilKey, OrderId, PackageId
from pricing.domain.approvals import Decided, Decision, SpotPrice, asked_by, decide, lapse
from pricing.domain.days import local_day
from pricing.domain.errors import AwardNotFound, FrameworkNotFound
from pricing.domain.orders import cancel, issued, line_for, order_for, reference_for
from pricing.domain.rates import Choice, Place, select, that_matter, with_selection
from pricing.ports import PricingWork, Selected


@dataclass(frozen=True)
class SelectRates:
    """A provider selects its rates in one area from a day on, or the council does it in its stead."""

    council: CouncilKey
    place: Place
    valid_from: date
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class DecideSpotPrice:
    """A second officer decides about a price above the ceiling; without a `refusal` it is approved."""

    package_id: PackageId
    award_id: AwardId
    officer: str
    refusal: SpotPriceRefusal | None = None


async def select_rates(command: SelectRates, work: PricingWork) -> Selected:
    """What is selected is published with all that still matters beside it; selected again alike, it is the same."""
    definition = await work.frameworks.newest(command.place.framework)
    if definition is None or definition.council != command.council:
        raise FrameworkNotFound
    place, standing = command.place, await work.rates.of(command.place)
    today = local_day(work.now, definition.brokerage.timezone)
    selection = select(
        command.choices, definition, place, valid_from=command.valid_from, standing=standing, today=today
    )
    if selection in standing:
        return Selected(place, standing)
    after = with_selection(standing, selection)
    await work.rates.keep(place, selection)
    work.publish(
        RatesSelected(
            provider_id=place.provider_id,
            framework=place.framework,
            area=place.area,
            selections=that_matter(after, today=today),
        )
    )
    return Selected(place, after)


async def issue_purchase_order(event: PackagePlaced, work: PricingWork) -> None:
    """The package is placed: it is ordered on the terms that it was placed on, and no other price waits any more."""
    await _close_awards(event.package_id, AwardEnd.AWARDED_OTHERWISE, work)
    line = line_for(event)
    year = local_day(work.now).year
    reference = reference_for(await work.orders.next_number(year), year=year)
    order = order_for(event, line, order_id=OrderId(work.new_id()), reference=reference, at=work.now)
    await work.orders.add(order)
    work.publish(issued(order))


async def cancel_purchase_order(event: PlacementVoided, work: PricingWork) -> None:
    """The placement is undone before care began: nothing is paid on its order."""
    order = await work.orders.of_placement(event.placement_id)
    if order is None or order.cancelled is not None:
        return
    cancelled, told = cancel(order, event.reason, at=work.now)
    await work.orders.save(cancelled)
    work.publish(told)


async def await_second_officer(event: AwardAwaitsApproval, work: PricingWork) -> None:
    """An award above the ceiling waits for a second officer, since it was made and not since we heard of it."""
    await work.spot_prices.add(asked_by(event, at=work.cause.at or work.now))


async def close_award(event: AwardLapsed, work: PricingWork) -> None:
    """The award waits for nobody any more."""
    price = await work.spot_prices.get(event.award_id)
    if price is not None:
        await _close(price, event.reason, work)


async def close_awards_of_package(event: SourcingStopped, work: PricingWork) -> None:
    """The council took the package back: there is nothing left to approve."""
    await _close_awards(event.package_id, AwardEnd.PACKAGE_WITHDRAWN, work)


async def decide_spot_price(command: DecideSpotPrice, work: PricingWork) -> Decided:
    """The first decision stands, and a later one is on record; told again alike, each is the same."""
    price = await work.spot_prices.get(command.award_id)
    if price is None or price.package_id != command.package_id:
        raise AwardNotFound
    decided = decide(price, Decision(command.officer, work.now, command.refusal))
    if decided.price is not price:
        await work.spot_prices.save(decided.price, before=price)
        work.publish(*decided.told)
    return decided


async def _close_awards(package_id: PackageId, because: AwardEnd, work: PricingWork) -> None:
    for price in await work.spot_prices.pending_of(package_id):
        await _close(price, because, work)


async def _close(price: SpotPrice, because: AwardEnd, work: PricingWork) -> None:
    closed = lapse(price, because)
    if closed is not price:
        await work.spot_prices.save(closed, before=price)
