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
from contracts.example_words import (
    LOT,
    CompetitionEndReasons,
    Criteria,
    DeclineReasons,
    InadequateReasons,
    Needs,
    OfficerReasons,
    OverruleReasons,
    PriceRefusals,
    Routes,
    ScoreReasons,
    ServiceTypes,
    Tiers,
    Units,
    Variations,
    WithdrawalReasons,
)
from contracts.framework.brokerage import BrokerageTime
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, Prices
from contracts.framework.stages import AnswerWithin, Recipients, SequentialOffers
from contracts.framework.tiers import OverallRatingRule, Tier
from contracts.framework.words import Area, Circumstance, Lot, Reason, Reasons, Route, ServiceType, Skill, Unit
from contracts.ids import (
    AreaCode,
    CouncilKey,
    CriterionKey,
    FrameworkKey,
    GroupKey,
    ItemKey,
    LotKey,
    NeedKey,
    ReasonKey,
    RouteKey,
    ServiceTypeKey,
    TierKey,
    UnitKey,
    uuid7,
)
from contracts.terms import compute_terms
from contracts.values import AgeBand, Care, Rating, Terms, UnitKind, Visit, Weekday

ModelT = TypeVar("ModelT", bound=BaseModel)

MONDAY_NINE: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COUNCIL: Final = CouncilKey("amberside")
FRAMEWORK: Final = FrameworkKey("amberside-home-care-2025")
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
        "framework": FRAMEWORK,
        "lot": LOT,
        "area": COLCHESTER,
        "outward_code": "CO1",
        "service_type": ServiceTypes.PERSONAL_CARE,
        "visits": (a_visit(),),
        "starts_on": date(2026, 3, 9),
        "route": Routes.COMMUNITY,
        "urgent": False,
        "age_band": AgeBand.FROM_75,
    }
    return Care.model_validate({**usual, **changed})


def some_prices(**changed: object) -> Prices:
    """A line for each usual unit: personal care by the hour, night sleep by the night, live-in by the week."""
    usual: dict[str, object] = {
        "invented": True,
        "price_list": "invented-1",
        "matrix": (
            MatrixLine(service_type=ServiceTypes.PERSONAL_CARE, unit=Units.HOUR, rate=Decimal("24.10")),
            MatrixLine(service_type=ServiceTypes.NIGHT_SLEEP, unit=Units.NIGHT, rate=Decimal("126.00")),
            MatrixLine(service_type=ServiceTypes.LIVE_IN, unit=Units.WEEK, rate=Decimal("1480.00")),
        ),
    }
    return Prices.model_validate({**usual, **changed})


def a_title(key: str) -> str:
    """Returns a key as a title: `personal-care` is "Personal care"."""
    return key.replace("-", " ").capitalize()


def some_service_types(*keys: ServiceTypeKey) -> tuple[ServiceType, ...]:
    return tuple(ServiceType(service_type=key, title=a_title(key)) for key in keys)


def some_reasons(**changed: object) -> Reasons:
    usual: dict[str, object] = {
        "decline": _list_reasons(DeclineReasons.ALL),
        "withdrawal": _list_reasons(WithdrawalReasons.ALL),
        "price_refusal": _list_reasons(PriceRefusals.ALL),
        "inadequate_award": _list_reasons(InadequateReasons.ALL),
        "variation": _list_reasons(Variations.ALL),
        "officer": _list_reasons(OfficerReasons.ALL),
        "score": _list_reasons(ScoreReasons.ALL),
        "overrule": _list_reasons(OverruleReasons.ALL),
        "competition_end": _list_reasons(CompetitionEndReasons.ALL),
    }
    return Reasons.model_validate({**usual, **changed})


def some_words() -> dict[str, object]:
    """The sections of a definition that declare its usual words, as keyword arguments."""
    return {
        "lots": (Lot(lot=LOT, title="Home care"),),
        "units": (
            Unit(unit=Units.HOUR, title="hour", kind=UnitKind.HOUR),
            Unit(unit=Units.NIGHT, title="night", kind=UnitKind.NIGHT),
            Unit(unit=Units.WEEK, title="week", kind=UnitKind.WEEK),
            Unit(unit=Units.EPISODE, title="episode", kind=UnitKind.EPISODE),
        ),
        "routes": (
            Route(route=Routes.COMMUNITY, title="Community"),
            Route(route=Routes.HOSPITAL_DISCHARGE, title="Hospital discharge", urgent=True),
            Route(route=Routes.CRISIS, title="Crisis", urgent=True),
        ),
        "skills": tuple(Skill(skill=key, title=a_title(key)) for key in Needs.SKILLS),
        "circumstances": tuple(Circumstance(circumstance=key, title=a_title(key)) for key in Needs.CIRCUMSTANCES),
        "reasons": some_reasons(),
    }


def _list_reasons(keys: tuple[ReasonKey, ...]) -> tuple[Reason, ...]:
    return tuple(Reason(reason=key, title=a_title(key)) for key in keys)


def a_definition(**changed: object) -> FrameworkDefinition:
    """One district, one tier, one stage; no bank holidays but Christmas Day 2026."""
    rating = OverallRatingRule(rule="overall-rating", at_least=Rating.GOOD)
    usual: dict[str, object] = {
        "framework": FRAMEWORK,
        "version": 1,
        "council": COUNCIL,
        "title": "Live at Home, an example",
        "source": "invented for tests",
        "runs_from": date(2025, 11, 9),
        "runs_until": date(2031, 11, 8),
        "areas": (Area(code=COLCHESTER, name="Colchester"),),
        "service_types": some_service_types(ServiceTypes.PERSONAL_CARE, ServiceTypes.NIGHT_SLEEP, ServiceTypes.LIVE_IN),
        "tiers": (Tier(tier=Tiers.ONE, title="Tier 1", providers_per_area=10, entry=(rating,)),),
        "brokerage": BrokerageTime(bank_holidays=(date(2026, 12, 25),)),
        "prices": some_prices(),
        "sourcing": (
            SequentialOffers(
                stage="tier-1",
                procedure="sequential-offers",
                to=Recipients(tiers=(Tiers.ONE,)),
                answer_within=AnswerWithin(),
            ),
        ),
        **some_words(),
    }
    return FrameworkDefinition.model_validate({**usual, **changed})


def an_example_of(model: type[ModelT], **changed: object) -> ModelT:
    """Builds an example of an event or value class; `changed` replaces fields.

    Fields with the same name have the same value in all examples.
    """
    usual = {
        name: _OWN_VALUES[model.__name__, name]
        if (model.__name__, name) in _OWN_VALUES
        else _make_example(field.annotation, name)
        for name, field in model.model_fields.items()
    }
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
        council=COUNCIL,
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
    Terms: compute_terms(some_care(), a_definition()),
    FrameworkDefinition: a_definition(),
    AreaCode: COLCHESTER,
    FrameworkKey: FRAMEWORK,
    CouncilKey: COUNCIL,
    LotKey: LOT,
    TierKey: Tiers.ONE,
    ServiceTypeKey: ServiceTypes.PERSONAL_CARE,
    ItemKey: ItemKey(ServiceTypes.PERSONAL_CARE),
    UnitKey: Units.HOUR,
    RouteKey: Routes.COMMUNITY,
    NeedKey: Needs.HOIST,
    ReasonKey: WithdrawalReasons.NO_LONGER_NEEDED,
    GroupKey: GroupKey("all-cohorts"),
    CriterionKey: Criteria.CONTINUITY,
    bool: True,
    int: 1,
    Decimal: Decimal("3.50"),
    date: date(2026, 3, 2),
    time: time(9, 0),
    timedelta: timedelta(minutes=30),
    datetime: MONDAY_NINE,
}
_OWN_VALUES: Final[Mapping[tuple[str, str], object]] = {
    ("PlacementVoided", "resourced"): False,
    ("PackagePlaced", "manual_id"): None,
    ("OfferMade", "act_id"): None,
    ("OfferMade", "place_lot"): None,
    ("OfferMade", "place_area"): None,
    ("OfferMade", "shown"): (),
    ("ProposalReceived", "counter_offer_id"): None,
    ("ProposalReceived", "entered_by"): None,
    ("OfferDeclined", "reason"): DeclineReasons.NO_CAPACITY,
    ("SpotPriceRefused", "reason"): PriceRefusals.TOO_HIGH,
    ("LateDecisionRefused", "refusal"): PriceRefusals.TOO_HIGH,
    ("AwardAwaitsApproval", "inadequate_reason"): InadequateReasons.CONTINUITY,
    ("AwardAwaitsApproval", "overrule_reason"): OverruleReasons.CONTINUITY,
    ("ProposalAwarded", "inadequate_reason"): InadequateReasons.CONTINUITY,
    ("ProposalReceived", "variations"): (Variations.OTHER_TIMES,),
    ("AwardLapsed", "officer_reason"): OfficerReasons.PRICE_NOT_JUSTIFIED,
    ("SearchPaused", "reason"): OfficerReasons.WAITS_FOR_INFORMATION,
    ("SearchResumed", "reason"): OfficerReasons.OTHER,
    ("ProviderSkipped", "reason"): OfficerReasons.KNOWN_NOT_TO_HAVE_CAPACITY,
    ("OfferDirected", "reason"): OfficerReasons.PERSONS_CHOICE,
    ("SuspensionOverridden", "reason"): OfficerReasons.OTHER,
    ("PlacementByHandProposed", "reason"): OfficerReasons.AGREED_BY_TELEPHONE,
    ("PlacementByHandProposed", "inadequate_reason"): InadequateReasons.CONTINUITY,
    ("PlacedByHand", "reason"): OfficerReasons.AGREED_BY_TELEPHONE,
    ("PlacedByHand", "inadequate_reason"): InadequateReasons.CONTINUITY,
    ("PackageResourced", "reason"): OfficerReasons.PROVIDER_GAVE_BACK,
    ("CounterOfferMade", "reason"): OfficerReasons.PRICE_NOT_JUSTIFIED,
    ("CompetitionAwarded", "inadequate_reason"): InadequateReasons.CONTINUITY,
    ("CompetitionAwarded", "overrule_reason"): OverruleReasons.CONTINUITY,
    ("ScoreGiven", "score_reason"): ScoreReasons.FULLY_MET,
    ("CompetitionEnded", "officer_reason"): CompetitionEndReasons.NEED_CHANGED,
}
_TEXTS: Final[Mapping[str, str]] = {
    "file_hash": "0f" * 32,
    "taken_from": "tier-1",
    "entered_by": "officer:first",
    "stage": "tier-1",
    "last_stage": "tier-1",
    "from_stage": "tier-1",
    "missing": "eligibility/6f7c0000",
    "view": "eligibility",
    "key": "6f7c0000",
    "name": "Alder Care Ltd",
    "price_list": "invented-1",
    "failure": "status 500",
    "reason": "timed out",
    "reference": "PO-2026-000001",
    "officer": "officer:first",
    "assigned_to": "officer:second",
    "second_officer": "officer:second",
    "outward_code": "CO1",
    "service": "sourcing",
    "topic": "homecare.packages.v1",
    "parked_key": "6f7c0000",
    "commitment": "c0" * 32,
    "content_hash": "c1" * 32,
    "salt": "c2" * 32,
    "draw": "c3" * 32,
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
