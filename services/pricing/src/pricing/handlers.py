"""Handlers of pricing's commands and events: load, decide, save, publish."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from contracts.events.listings import AwardAwaitsApproval, AwardEnd, AwardLapsed, PackageListed
from contracts.events.rates import RatesSelected
from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStopped
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AwardId, CouncilKey, OrderId, PackageId, ReasonKey
from contracts.office_time import to_office_date
from pricing.domain.approvals import (
    Decision,
    DecisionResult,
    SpotPrice,
    apply_decision,
    check_refusal,
    create_spot_price,
    mark_lapsed,
)
from pricing.domain.errors import AwardNotFound, FrameworkNotFound
from pricing.domain.orders import build_issued_event, build_lines, build_order, cancel, format_reference
from pricing.domain.rate_matrix import RateChoice
from pricing.domain.rates import RateScope, add_selection, build_selection, filter_relevant
from pricing.ports import AreaSelections, PricingWork


@dataclass(frozen=True)
class SelectRates:
    """Command: select rates for one area from a day on, by the provider or by the council on its behalf."""

    council: CouncilKey
    scope: RateScope
    valid_from: date
    choices: tuple[RateChoice, ...]


@dataclass(frozen=True)
class DecideSpotPrice:
    """Command: decide about a price above the ceiling. Without `refusal` the price is approved."""

    package_id: PackageId
    award_id: AwardId
    officer: str
    refusal: ReasonKey | None = None


async def select_rates(command: SelectRates, work: PricingWork) -> AreaSelections:
    """Saves a selection and publishes all current and future ones. An identical selection changes nothing."""
    definition = await work.frameworks.find_latest(command.scope.framework)
    if definition is None or definition.council != command.council:
        raise FrameworkNotFound
    scope, existing = command.scope, await work.rates.list_selections(command.scope)
    today = to_office_date(work.now, ZoneInfo(definition.brokerage.timezone))
    selection = build_selection(
        command.choices, definition, scope, valid_from=command.valid_from, existing=existing, today=today
    )
    if selection in existing:
        return AreaSelections(scope, existing)
    after = add_selection(existing, selection)
    await work.rates.save_selection(scope, selection)
    work.publish(
        RatesSelected(
            provider_id=scope.provider_id,
            framework=scope.framework,
            area=scope.area,
            selections=filter_relevant(after, today=today),
        )
    )
    return AreaSelections(scope, after)


async def issue_purchase_order(event: PackagePlaced, work: PricingWork) -> None:
    """Issues the order of a placement on the placement's terms and closes the package's pending awards."""
    await _close_awards(event.package_id, AwardEnd.AWARDED_OTHERWISE, work)
    lines = build_lines(event)
    year = to_office_date(work.now).year
    reference = format_reference(await work.orders.draw_number(year), year=year)
    order = build_order(event, lines, order_id=OrderId(work.new_id()), reference=reference, at=work.now)
    await work.orders.add(order)
    work.publish(build_issued_event(order))


async def cancel_purchase_order(event: PlacementVoided, work: PricingWork) -> None:
    """Cancels the order of a placement that was voided before care began."""
    order = await work.orders.find_by_placement(event.placement_id)
    if order is None or order.cancelled is not None:
        return
    cancelled, event_to_publish = cancel(order, event.reason, at=work.now)
    await work.orders.save(cancelled)
    work.publish(event_to_publish)


async def record_listing(event: PackageListed, work: PricingWork) -> None:
    """Records the framework of a listed package, because an award does not state it."""
    await work.spot_prices.save_listing(event.package_id, event.framework)


async def record_pending_price(event: AwardAwaitsApproval, work: PricingWork) -> None:
    """Records an award that waits for a second officer, from the time of the award, not of its arrival here."""
    await work.spot_prices.add(create_spot_price(event, at=work.cause.at or work.now))


async def close_award(event: AwardLapsed, work: PricingWork) -> None:
    """Marks the spot price of a lapsed award as lapsed."""
    price = await work.spot_prices.get(event.award_id)
    if price is not None:
        await _close(price, event.reason, work)


async def close_awards_of_package(event: SourcingStopped, work: PricingWork) -> None:
    """Closes the pending awards of a package that the council withdrew."""
    await _close_awards(event.package_id, AwardEnd.PACKAGE_WITHDRAWN, work)


async def decide_spot_price(command: DecideSpotPrice, work: PricingWork) -> DecisionResult:
    """Applies the first decision and records later ones. A repeated decision changes nothing.

    Raises AwardNotFound, and InvalidInput for a reason that the award's framework does not declare.
    """
    price = await work.spot_prices.get(command.award_id)
    if price is None or price.package_id != command.package_id:
        raise AwardNotFound
    if command.refusal is not None:
        check_refusal(command.refusal, await _get_definition(command.package_id, work))
    decided = apply_decision(price, Decision(command.officer, work.now, command.refusal))
    if decided.price is not price:
        await work.spot_prices.save(decided.price, before=price)
        work.publish(*decided.events)
    return decided


async def _get_definition(package_id: PackageId, work: PricingWork) -> FrameworkDefinition:
    """Returns the newest version of the framework under which the package is listed. Raises FrameworkNotFound."""
    framework = await work.spot_prices.find_framework(package_id)
    definition = None if framework is None else await work.frameworks.find_latest(framework)
    if definition is None:
        raise FrameworkNotFound
    return definition


async def _close_awards(package_id: PackageId, because: AwardEnd, work: PricingWork) -> None:
    for price in await work.spot_prices.list_pending(package_id):
        await _close(price, because, work)


async def _close(price: SpotPrice, because: AwardEnd, work: PricingWork) -> None:
    closed = mark_lapsed(price, because)
    if closed is not price:
        await work.spot_prices.save(closed, before=price)
