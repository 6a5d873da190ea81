"""Contradictions between the sections of a definition: words that are used and not declared, gaps, and duplicates."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from contracts.contradictions import Contradiction, find_duplicates
from contracts.framework.competition_rules import find_competition_contradictions
from contracts.framework.life import JoiningMode
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.stages import (
    BatchingList,
    Ceiling,
    Conditions,
    Designated,
    Exhausted,
    MakesOffers,
    MiniCompetition,
    OpenList,
    SequentialOffers,
)
from contracts.framework.tiers import SkillRule, Tier
from contracts.framework.words import Reason
from contracts.values import Order

if TYPE_CHECKING:
    from contracts.framework.definition import FrameworkDefinition

Path = tuple[str | int, ...]
_CLOSED: Final = "is outside brokerage time; choose a time at which the brokerage is open"
_GIVEN_TWICE: Final = "is given twice; keep one of the two"


def find_contradictions(definition: "FrameworkDefinition") -> Iterator[Contradiction]:
    """Yields every contradiction between valid sections."""
    yield from _find_repeated_words(definition)
    yield from _find_undeclared_words(definition)
    yield from _find_wrong_dates(definition)
    yield from _find_price_gaps(definition)
    for position, stage in enumerate(definition.sourcing):
        place: Path = ("sourcing", position)
        yield from _find_undeclared_conditions(definition, stage.when, (*place, "when"))
        if isinstance(stage, OpenList):
            yield from _find_open_list_contradictions(definition, stage, place)
            yield from _find_issue_contradictions(definition, stage, place)
        elif isinstance(stage, MiniCompetition):
            yield from _find_ceiling_contradictions(definition, stage.when, stage.ceilings, place)
            yield from _find_recipient_contradictions(definition, stage, place)
            yield from find_competition_contradictions(stage, definition.reasons, place)
        else:
            yield from _find_offering_contradictions(definition, stage, place)
            yield from _find_list_contradictions(definition, stage, place)


def _find_repeated_words(definition: "FrameworkDefinition") -> Iterator[Contradiction]:
    reasons, brokerage = definition.reasons, definition.brokerage
    lists: Sequence[tuple[str, Sequence[object]]] = (
        ("areas[].code", [each.code for each in definition.areas]),
        ("service_types[].service_type", [each.service_type for each in definition.service_types]),
        ("lots[].lot", [each.lot for each in definition.lots]),
        ("tiers[].tier", [each.tier for each in definition.tiers]),
        ("units[].unit", [each.unit for each in definition.units]),
        ("routes[].route", [each.route for each in definition.routes]),
        ("skills[].skill", [each.skill for each in definition.skills]),
        ("circumstances[].circumstance", [each.circumstance for each in definition.circumstances]),
        ("travel_bands[].band", [each.band for each in definition.travel_bands]),
        ("list_groups[].group", [each.group for each in definition.list_groups]),
        ("sourcing[].stage", [each.stage for each in definition.sourcing]),
        ("brokerage.days[]", brokerage.days),
        ("brokerage.bank_holidays[]", brokerage.bank_holidays),
        ("brokerage.overrides[].day", [each.day for each in brokerage.overrides]),
        ("prices.matrix[].service_type", [(each.item_key, each.band) for each in definition.prices.matrix]),
        ("reasons.decline[].reason", _list_keys(reasons.decline)),
        ("reasons.withdrawal[].reason", _list_keys(reasons.withdrawal)),
        ("reasons.price_refusal[].reason", _list_keys(reasons.price_refusal)),
        ("reasons.inadequate_award[].reason", _list_keys(reasons.inadequate_award)),
        ("reasons.variation[].reason", _list_keys(reasons.variation)),
        ("reasons.officer[].reason", _list_keys(reasons.officer)),
        ("reasons.score[].reason", _list_keys(reasons.score)),
        ("reasons.overrule[].reason", _list_keys(reasons.overrule)),
        ("reasons.competition_end[].reason", _list_keys(reasons.competition_end)),
    )
    for path, words in lists:
        yield from find_duplicates(path, words)
    skills, codes = {each.skill for each in definition.skills}, set[str]()
    for position, each in enumerate(definition.circumstances):
        if each.circumstance in skills:
            place: Path = ("circumstances", position, "circumstance")
            yield Contradiction(place, "is a skill as well; keep it in one of the two lists")
    for position, band in enumerate(definition.travel_bands):
        for number, code in enumerate(band.outward_codes):
            if code in codes:
                yield Contradiction(("travel_bands", position, "outward_codes", number), _GIVEN_TWICE)
            codes.add(code)


def _list_keys(reasons: Iterable[Reason]) -> list[object]:
    return [each.reason for each in reasons]


def _find_undeclared_words(definition: "FrameworkDefinition") -> Iterator[Contradiction]:
    areas = {each.code for each in definition.areas}
    service_types = {each.service_type for each in definition.service_types}
    routes = {each.route for each in definition.routes}
    for position, area in enumerate(definition.areas):
        place: Path = ("areas", position, "neighbours")
        yield from _find_undeclared(area.neighbours, areas, place, "areas")
        if area.code in area.neighbours:
            yield Contradiction((*place, area.neighbours.index(area.code)), "is the area itself; remove it")
    for position, lot in enumerate(definition.lots):
        yield from _find_undeclared(lot.areas, areas, ("lots", position, "areas"), "areas")
        yield from _find_undeclared(
            lot.service_types, service_types, ("lots", position, "service_types"), "service_types"
        )
        yield from _find_undeclared(lot.routes, routes, ("lots", position, "routes"), "routes")
    for position, tier in enumerate(definition.tiers):
        yield from _find_undeclared_words_of_tier(definition, tier, ("tiers", position))
    for position, group in enumerate(definition.list_groups):
        place = ("list_groups", position)
        yield from _find_undeclared(group.service_types, service_types, (*place, "service_types"), "service_types")
        yield from _find_undeclared(group.needs, definition.needs, (*place, "needs"), "skills or circumstances")


def _find_undeclared_words_of_tier(
    definition: "FrameworkDefinition", tier: Tier, place: Path
) -> Iterator[Contradiction]:
    yield from _find_undeclared(tier.lots, {each.lot for each in definition.lots}, (*place, "lots"), "lots")
    skills = {each.skill for each in definition.skills}
    for number, rule in enumerate(tier.entry):
        if isinstance(rule, SkillRule):
            yield from _check_declared(rule.skill, skills, (*place, "entry", number, "skill"), "skills")
    expected = () if tier.expectation is None else tier.expectation.areas
    codes = [each.area for each in expected]
    for number, code in enumerate(codes):
        path: Path = (*place, "expectation", "areas", number, "area")
        yield from _check_declared(code, [each.code for each in definition.areas], path, "areas")
        if code in codes[:number]:
            yield Contradiction(path, _GIVEN_TWICE)


def _find_undeclared_conditions(
    definition: "FrameworkDefinition", conditions: Conditions, path: Path
) -> Iterator[Contradiction]:
    bands = {each.band for each in definition.travel_bands} | {each.travel_band for each in definition.areas}
    words: Sequence[tuple[str, Sequence[object], Collection[object]]] = (
        ("lots", conditions.lots, {each.lot for each in definition.lots}),
        ("areas", conditions.areas, {each.code for each in definition.areas}),
        ("service_types", conditions.service_types, {each.service_type for each in definition.service_types}),
        ("routes", conditions.routes, {each.route for each in definition.routes}),
        ("needs", conditions.needs, definition.needs),
        ("travel_bands", conditions.travel_bands, bands),
    )
    for section, used, declared in words:
        yield from _find_undeclared(used, declared, (*path, section), section)


def _find_undeclared(
    used: Iterable[object], declared: Collection[object], path: Path, section: str
) -> Iterator[Contradiction]:
    for position, word in enumerate(used):
        yield from _check_declared(word, declared, (*path, position), section)


def _check_declared(word: object, declared: Collection[object], path: Path, section: str) -> Iterator[Contradiction]:
    if word not in declared:
        yield Contradiction(path, f"is not declared; add it to {section}, or correct the word")


def _find_wrong_dates(definition: "FrameworkDefinition") -> Iterator[Contradiction]:
    if definition.runs_from > definition.runs_until:
        yield Contradiction(("runs_until",), "must not be before runs_from")
    elif not definition.runs_from <= definition.first_day <= definition.runs_until:
        yield Contradiction(("in_force_from",), "must be a day on which the framework runs")
    for position, extension in enumerate(definition.extensions):
        if extension.until <= definition.runs_until:
            yield Contradiction(("extensions", position, "until"), "must be after runs_until")
        if extension.notice_by is not None and extension.notice_by >= extension.until:
            yield Contradiction(("extensions", position, "notice_by"), "must be before the day of the extension")
    for position, each in enumerate(definition.joining.rounds):
        if not each.opens <= each.closes <= each.places_from:
            yield Contradiction(("joining", "rounds", position), "must open, then close, before its places begin")
    if definition.joining.rounds and definition.joining.mode is JoiningMode.CLOSED:
        yield Contradiction(("joining", "rounds"), "are for a framework that opens again; remove them, or change mode")
    suspended = definition.joining.suspended
    if suspended is not None and suspended.since > suspended.until:
        yield Contradiction(("joining", "suspended", "until"), "must not be before since")


def _find_price_gaps(definition: "FrameworkDefinition") -> Iterator[Contradiction]:
    for position, line in enumerate(definition.prices.matrix):
        yield from _find_contradictions_of_price(definition, line, ("prices", "matrix", position))
    priced = {(line.service_type, line.band) for line in definition.prices.matrix}
    for position, each in enumerate(definition.service_types):
        if (each.service_type, None) in priced:
            continue
        served = [lot for lot in definition.lots if lot.has_service_type(each.service_type)]
        lacking = [
            area.code
            for area in definition.areas
            if area.outside is None
            and (each.service_type, area.price_band) not in priced
            and any(lot.has_area(area.code) for lot in served)
        ]
        if lacking:
            detail = f"has no price in {', '.join(lacking[:3])}; add a line for it to prices.matrix"
            yield Contradiction(("service_types", position), detail)


def _find_contradictions_of_price(
    definition: "FrameworkDefinition", line: MatrixLine, place: Path
) -> Iterator[Contradiction]:
    service_types = {each.service_type for each in definition.service_types}
    yield from _check_declared(line.service_type, service_types, (*place, "service_type"), "service_types")
    yield from _check_declared(line.unit, {each.unit for each in definition.units}, (*place, "unit"), "units")
    if line.band is not None and line.band not in {each.price_band for each in definition.areas}:
        yield Contradiction((*place, "band"), "is the price band of no area; add it to an area")
    are_own = definition.prices.rates_set_by is RatesSetBy.PROVIDER
    if are_own and line.highest is None:
        yield Contradiction((*place, "highest"), "is missing; add the highest rate that a provider may name")
    if not are_own and line.highest is not None:
        yield Contradiction((*place, "highest"), "is for rates that providers name; remove it")


def _find_offering_contradictions(
    definition: "FrameworkDefinition", stage: MakesOffers, place: Path
) -> Iterator[Contradiction]:
    if isinstance(stage, Designated):
        lots = {each.lot for each in definition.lots}
        yield from _find_undeclared(stage.follows_in, lots, (*place, "follows_in"), "lots")
    yield from _find_recipient_contradictions(definition, stage, place)
    yield from _find_repetitions(stage.order, (*place, "order"))


def _find_recipient_contradictions(
    definition: "FrameworkDefinition", stage: MakesOffers | MiniCompetition, place: Path
) -> Iterator[Contradiction]:
    path: Path = (*place, "to", "tiers")
    if not stage.to.tiers and not (isinstance(stage, Designated) and stage.follows_in):
        yield Contradiction((*place, "to"), "asks nobody; name one or more tiers")
    yield from _find_undeclared(stage.to.tiers, {tier.tier for tier in definition.tiers}, path, "tiers")
    yield from _find_repetitions(stage.to.tiers, path)


def _find_repetitions(words: Sequence[object], path: Path) -> Iterator[Contradiction]:
    for position, word in enumerate(words):
        if word in words[:position]:
            yield Contradiction((*path, position), _GIVEN_TWICE)


def _find_list_contradictions(
    definition: "FrameworkDefinition", stage: MakesOffers, place: Path
) -> Iterator[Contradiction]:
    """Yields what contradicts the Batching List, seen from the list and from the stage that waits for it."""
    position = definition.sourcing.index(stage)
    before = definition.sourcing[position - 1] if position else None
    after = definition.sourcing[position + 1] if position + 1 < len(definition.sourcing) else None
    if isinstance(stage, BatchingList):
        if before is None or before.stage != stage.cut_off.while_in or not isinstance(before, SequentialOffers):
            detail = "is not the stage of sequential offers just before the list; name that stage"
            yield Contradiction((*place, "cut_off", "while_in"), detail)
        elif not set(stage.to.tiers) <= set(before.to.tiers):
            yield Contradiction(
                (*place, "to", "tiers"), f"are not among the tiers that {before.stage} asks; name tiers of that stage"
            )
        if stage.when != Conditions():
            yield Contradiction(
                (*place, "when"), "cannot narrow a list, which takes the packages of the stage before it; remove it"
            )
        brokerage = definition.brokerage
        if not brokerage.opens <= stage.cut_off.time < brokerage.closes:
            yield Contradiction((*place, "cut_off", "time"), _CLOSED)
    elif stage.exhausted is Exhausted.WAIT_FOR_LIST and not isinstance(after, BatchingList):
        yield Contradiction((*place, "exhausted"), "waits for a list; add a stage batching-list just after this one")


def _find_issue_contradictions(
    definition: "FrameworkDefinition", stage: OpenList, place: Path
) -> Iterator[Contradiction]:
    if stage.issued is None:
        return
    brokerage = definition.brokerage
    if not brokerage.opens <= stage.issued.time < brokerage.closes:
        yield Contradiction((*place, "issued", "time"), _CLOSED)
    for number, day in enumerate(stage.issued.days):
        if day in stage.issued.days[:number]:
            yield Contradiction((*place, "issued", "days", number), _GIVEN_TWICE)


def _find_open_list_contradictions(
    definition: "FrameworkDefinition", stage: OpenList, place: Path
) -> Iterator[Contradiction]:
    if stage.when == Conditions() and definition.sourcing[-1] is not stage:
        yield Contradiction(place, "nothing can follow an open list; make it the last stage")
    yield from _find_ceiling_contradictions(definition, stage.when, stage.ceilings, place)


def _find_ceiling_contradictions(
    definition: "FrameworkDefinition", when: Conditions, ceilings: Sequence[Ceiling], place: Path
) -> Iterator[Contradiction]:
    service_types = [each.service_type for each in definition.service_types]
    for position, ceiling in enumerate(ceilings):
        path: Path = (*place, "ceilings", position, "service_type")
        yield from _check_declared(ceiling.service_type, service_types, path, "service_types")
        if ceiling.service_type in [each.service_type for each in ceilings[:position]]:
            yield Contradiction(path, _GIVEN_TWICE)
    given = {each.service_type for each in ceilings}
    lacking = [each for each in when.service_types or service_types if each not in given]
    if lacking:
        yield Contradiction((*place, "ceilings"), f"lacks {', '.join(lacking)}; add a line for each")


def find_listed_tiers(definition: "FrameworkDefinition") -> set[str]:
    """Returns the tiers whose order is a ranked list in some stage."""
    return {
        tier
        for stage in definition.sourcing
        if isinstance(stage, SequentialOffers) and Order.RANKED_LIST in stage.order
        for tier in stage.to.tiers
    }
