"""Examples of every event and value for the documentation and for tests: invented, and the same on every run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Final, Literal, NewType, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel

from contracts.catalogue import encode, find_entry
from contracts.envelope import GENESIS, Envelope
from contracts.events.base import Event
from contracts.framework import (
    Area,
    BrokerageTime,
    FrameworkDefinition,
    MatrixLine,
    Prices,
    SequentialOffers,
    TierRules,
)
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, uuid7
from contracts.terms import compute_terms
from contracts.values import AgeBand, Care, PriceUnit, Rating, ServiceType, Terms, Tier, Urgency, Visit, Weekday

ModelT = TypeVar("ModelT", bound=BaseModel)

MONDAY_NINE: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ESSEX: Final = FrameworkKey("essex-live-at-home-2025")
COLCHESTER: Final = AreaCode("E07000071")
_NAMES: Final = UUID("6f7c0000-0000-4000-8000-000000000000")


def an_id(of: str) -> UUID:
    """Returns an id derived from a name: `an_id("Alder")` is the same on every run."""
    return uuid5(_NAMES, of)


def a_visit(**changed: object) -> Visit:
    """Half an hour every morning, by one carer."""
    return Visit.model_validate(
        {"days": tuple(Weekday), "earliest": time(7, 30), "latest": time(9, 0), "minutes": 30, **changed}
    )


def some_care(**changed: object) -> Care:
    """Personal care in Colchester, routine, 3.5 hours a week."""
    usual: dict[str, object] = {
        "framework": ESSEX,
        "area": COLCHESTER,
        "outward_code": "CO1",
        "service_type": ServiceType.PERSONAL_CARE,
        "visits": (a_visit(),),
        "starts_on": date(2026, 3, 9),
        "urgency": Urgency.ROUTINE,
        "age_band": AgeBand.FROM_75,
    }
    return Care.model_validate({**usual, **changed})


def some_prices(**changed: object) -> Prices:
    """A line for each unit: personal care by the hour, night sleep by the night, live-in by the week."""
    usual: dict[str, object] = {
        "invented": True,
        "price_list": "invented-1",
        "matrix": (
            MatrixLine(service_type=ServiceType.PERSONAL_CARE, unit=PriceUnit.HOUR, rate=Decimal("24.10")),
            MatrixLine(service_type=ServiceType.NIGHT_SLEEP, unit=PriceUnit.NIGHT, rate=Decimal("126.00")),
            MatrixLine(service_type=ServiceType.LIVE_IN, unit=PriceUnit.WEEK, rate=Decimal("1480.00")),
        ),
    }
    return Prices.model_validate({**usual, **changed})


def a_definition(**changed: object) -> FrameworkDefinition:
    """One district, one tier, one stage; no bank holidays but Christmas Day 2026."""
    usual: dict[str, object] = {
        "framework": ESSEX,
        "version": 1,
        "council": CouncilKey("essex"),
        "title": "Live at Home, an example",
        "source": "invented for tests",
        "runs_from": date(2025, 11, 9),
        "runs_until": date(2031, 11, 8),
        "areas": (Area(code=COLCHESTER, name="Colchester"),),
        "service_types": (ServiceType.PERSONAL_CARE, ServiceType.NIGHT_SLEEP, ServiceType.LIVE_IN),
        "tiers": (TierRules(tier=Tier.ONE, providers_per_area=10, minimum_rating=Rating.GOOD),),
        "brokerage": BrokerageTime(bank_holidays=(date(2026, 12, 25),)),
        "prices": some_prices(),
        "sourcing": (SequentialOffers(stage="tier-1", procedure="sequential-offers", tier=Tier.ONE),),
    }
    return FrameworkDefinition.model_validate({**usual, **changed})


def an_example_of(model: type[ModelT], **changed: object) -> ModelT:
    """Builds an example of an event or value class; `changed` replaces fields.

    Fields with the same name have the same value in all examples.
    """
    usual = {name: _make_example(field.annotation, name) for name, field in model.model_fields.items()}
    return model.model_validate({**usual, **changed})


def an_envelope_of(event: Event, *, after: Envelope | None = None, at: datetime = MONDAY_NINE) -> Envelope:
    """Builds the sealed envelope of `event`, chained to the previous envelope `after`."""
    entry = find_entry(type(event))
    sequence = after.sequence + 1 if after else 1
    bare = Envelope(
        id=uuid7(at, random_bits=sequence),
        source=f"/calloff/{entry.owner}",
        type=event.get_type_name(),
        subject=event.key,
        time=at,
        council="essex",
        correlationid=event.correlation,
        causationid=str(an_id("cause")),
        actor=f"service:{entry.owner}",
        sequence=sequence,
        prevhash=after.hash if after else GENESIS,
    )
    return bare.seal(encode(event))


_BY_TYPE: Final[Mapping[object, object]] = {
    Care: some_care(),
    Visit: a_visit(),
    Prices: some_prices(),
    Terms: compute_terms(some_care(), some_prices()),
    FrameworkDefinition: a_definition(),
    AreaCode: COLCHESTER,
    FrameworkKey: ESSEX,
    CouncilKey: CouncilKey("essex"),
    bool: True,
    int: 1,
    Decimal: Decimal("3.50"),
    date: date(2026, 3, 2),
    time: time(9, 0),
    timedelta: timedelta(minutes=30),
    datetime: MONDAY_NINE,
}
_TEXTS: Final[Mapping[str, str]] = {
    "stage": "tier-1",
    "last_stage": "tier-1",
    "missing": "eligibility/6f7c0000",
    "view": "eligibility",
    "key": "6f7c0000",
    "name": "Alder Care Ltd",
    "price_list": "invented-1",
    "failure": "status 500",
    "reason": "timed out",
    "reference": "PO-2026-000001",
    "officer": "officer:first",
    "second_officer": "officer:second",
    "outward_code": "CO1",
    "service": "sourcing",
    "topic": "homecare.packages.v1",
    "parked_key": "6f7c0000",
    "because": "calloff.OfferDeclined.v1 could not be handled: ValueError",
}


def _make_example(annotation: object, name: str) -> object:
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]
    if isinstance(annotation, NewType):
        return an_id(name) if annotation.__supertype__ is UUID else _make_example(annotation.__supertype__, name)
    if isinstance(annotation, type):
        return _make_example_of_class(annotation, name)
    return _make_example_of_form(annotation, name)


def _make_example_of_class(kind: type[object], name: str) -> object:
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, BaseModel):
        return an_example_of(kind)
    if kind.__name__ == "AwareDatetime":
        return MONDAY_NINE
    return an_id(name) if kind is UUID else _TEXTS[name]


def _make_example_of_form(annotation: object, name: str) -> object:
    """Builds an example for a generic annotation: the X of `X | None`, one X for `tuple[X, ...]`, the first literal."""
    origin, arguments = get_origin(annotation), cast("tuple[object, ...]", get_args(annotation))
    if origin is Literal:
        return arguments[0]
    if origin in {Union, UnionType}:
        return _make_example(next(option for option in arguments if option is not type(None)), name)
    inner = _make_example(arguments[0], name)
    return (inner,) if origin is tuple else inner
