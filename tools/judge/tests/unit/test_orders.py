"""The judge recomputes the order of a stage from the recorded figures, and checks the figures against the market."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Final

from contracts.events.packages import FollowedPackage
from contracts.events.searches import StageCandidate
from contracts.example_words import LOT, Needs, Tiers
from contracts.examples import an_example_of, an_id, some_care
from contracts.ids import LotKey, ProviderId
from contracts.values import Order, PassOverReason, PlaceState
from testkit.judge_market import ALDER, BIRCH, CEDAR, ELM, build_candidate
from testkit.judge_procedures import HARLOW, Market, Package

STAGE: Final = "  - {{stage: one, procedure: sequential-offers, order: [{}], to: {{tiers: [tier-1]}}}}\n"
DESIGNATED: Final = "  - {stage: one, procedure: designated, to: {tiers: [tier-1, tier-2]}, follows_in: [reablement]}\n"
SEED: Final = str(an_id("seed"))
JOINED: Final = date(2025, 11, 9)
PRICES: Final = {ALDER: "84.00", BIRCH: "77.00", CEDAR: "91.00", ELM: "77.00"}


def _draw(*providers: ProviderId) -> list[ProviderId]:
    return sorted(providers, key=lambda each: sha256(f"{SEED}/{each}".encode()).hexdigest())


def _rank(providers: Sequence[ProviderId], **figures: object) -> list[StageCandidate]:
    return [build_candidate(each, rank, **figures) for rank, each in enumerate(providers, 1)]


def _rank_by_price(*providers: ProviderId) -> list[StageCandidate]:
    return [build_candidate(each, rank, price=PRICES[each]) for rank, each in enumerate(providers, 1)]


def _enter(order: str, candidates: Sequence[StageCandidate], market: Market | None = None) -> Package:
    package = Package(STAGE.format(order), market or Market())
    orders = [Order(each) for each in order.split(", ")]
    return package.start().enter("one", *candidates, order=orders)


def test_the_lowest_price_comes_first_and_a_draw_breaks_the_tie() -> None:
    cheapest = _draw(BIRCH, ELM)
    assert _enter("price", _rank_by_price(*cheapest, ALDER, CEDAR)).find_violations() == []


def test_a_tie_that_is_not_broken_by_the_draw_is_found() -> None:
    wrong = list(reversed(_draw(BIRCH, ELM)))
    assert _finds("by ['price'] the order is", _enter("price", _rank_by_price(*wrong, ALDER, CEDAR)))


def test_a_price_order_that_is_wrong_is_found() -> None:
    assert _finds("the order is", _enter("price", _rank_by_price(ALDER, *_draw(BIRCH, ELM), CEDAR)))


def test_a_price_that_is_not_the_providers_is_found() -> None:
    candidates = _rank_by_price(*_draw(BIRCH, ELM), ALDER, CEDAR)
    candidates[3] = candidates[3].model_copy(update={"price": candidates[2].price})
    assert _finds("came by the price", _enter("price", candidates))


def test_a_draw_is_recomputed_from_its_seed() -> None:
    drawn = _draw(ALDER, BIRCH, CEDAR, ELM)
    assert _enter("draw", _rank(drawn)).find_violations() == []
    assert _finds("the order is", _enter("draw", _rank([drawn[1], drawn[0], *drawn[2:]])))


def test_a_tie_without_a_seed_is_found() -> None:
    package = Package(STAGE.format("price")).start()
    package.enter("one", *_rank_by_price(BIRCH, ELM, ALDER, CEDAR), order=[Order.PRICE], seed=None)
    assert _finds("has a tie and no seed", package)


def _number_market(**numbers: int) -> Market:
    providers = {"alder": ALDER, "birch": BIRCH, "cedar": CEDAR, "elm": ELM}
    return Market(places={providers[name]: {"number": number} for name, number in numbers.items()})


def test_numbers_give_the_order() -> None:
    market = _number_market(alder=3, birch=1, cedar=4, elm=2)
    ranked = [build_candidate(each, rank, number=rank) for rank, each in enumerate((BIRCH, ELM, ALDER, CEDAR), 1)]
    assert _enter("number", ranked, market).find_violations() == []
    wrong = [ranked[0], ranked[2].model_copy(update={"rank": 2}), ranked[1].model_copy(update={"rank": 3}), ranked[3]]
    assert _finds("the order is", _enter("number", wrong, market))


def test_a_number_that_is_not_the_providers_is_found() -> None:
    market = _number_market(alder=3, birch=1, cedar=4, elm=2)
    ranked = [build_candidate(each, rank, number=rank) for rank, each in enumerate((ALDER, ELM, BIRCH, CEDAR), 1)]
    assert _finds("which is not its own", _enter("number", ranked, market))


def _place_earlier(provider: ProviderId) -> Package:
    """A package that was placed with a provider at nine."""
    figures = {"joined_on": JOINED}
    drawn = _draw(ALDER, BIRCH, CEDAR, ELM)
    earlier = Package(STAGE.format("rotation"), package=an_id("earlier")).start()
    earlier.enter("one", *_rank(drawn, **figures), order=[Order.ROTATION])
    for each in drawn[: drawn.index(provider)]:
        earlier.offer(each).deliver(each).publish_decline(each)
    return earlier.offer(provider).deliver(provider).accept(provider).place(provider)


def test_whose_last_award_lies_longest_ago_comes_first() -> None:
    first, *others = _draw(ALDER, BIRCH, CEDAR, ELM)
    earlier = _place_earlier(first)
    later = Package(STAGE.format("rotation"), now=earlier.now).wait(minutes=10).start()
    never = _rank(others, joined_on=JOINED)
    awarded = build_candidate(first, 4, joined_on=JOINED, last_award_at=earlier.now)
    later.enter("one", *never, awarded, order=[Order.ROTATION])
    assert later.find_violations(earlier) == []


def test_a_last_award_that_is_left_out_is_found() -> None:
    drawn = _draw(ALDER, BIRCH, CEDAR, ELM)
    earlier = _place_earlier(drawn[0])
    later = Package(STAGE.format("rotation"), now=earlier.now).wait(minutes=10).start()
    later.enter("one", *_rank(drawn, joined_on=JOINED), order=[Order.ROTATION])
    assert any("which is not its last one" in each for each in later.find_violations(earlier))


def test_who_joined_earlier_comes_first_among_those_without_an_award() -> None:
    market = Market(places={CEDAR: {"joined_on": date(2025, 11, 1)}})
    others = _rank(_draw(ALDER, BIRCH, ELM), joined_on=JOINED)
    ranked = [
        build_candidate(CEDAR, 1, joined_on=date(2025, 11, 1)),
        *(each.model_copy(update={"rank": each.rank + 1}) for each in others),
    ]
    assert _enter("rotation", ranked, market).find_violations() == []


def test_a_provider_with_an_active_place_that_is_left_out_is_found() -> None:
    assert _finds("left out", _enter("price", _rank_by_price(BIRCH, ALDER, CEDAR)))


def test_a_provider_whose_place_is_not_active_may_be_left_out_or_passed_over() -> None:
    market = Market(places={ELM: {"state": PlaceState.MOBILISING}})
    assert _enter("price", _rank_by_price(BIRCH, ALDER, CEDAR), market).find_violations() == []
    asked = _enter("price", _rank_by_price(*_draw(BIRCH, ELM), ALDER, CEDAR), market)
    for each in _draw(BIRCH, ELM):
        if each == ELM:
            asked.pass_over(ELM, PassOverReason.PLACE_NOT_ACTIVE)
            break
        asked.offer(each).deliver(each).publish_decline(each)
    assert asked.find_violations() == []


def test_an_offer_to_a_provider_whose_place_is_not_active_is_found() -> None:
    market = Market(places={BIRCH: {"state": PlaceState.PAUSED}})
    package = _enter("price", _rank_by_price(*_draw(BIRCH, ELM), ALDER, CEDAR), market)
    for each in _draw(BIRCH, ELM):
        package.offer(each).deliver(each).publish_decline(each)
    assert _finds("place is not active", package)


def test_a_provider_without_a_place_there_that_is_asked_is_found() -> None:
    market = Market(places={ELM: {"area": HARLOW}})
    assert _finds("has no place there", _enter("price", _rank_by_price(*_draw(BIRCH, ELM), ALDER, CEDAR), market))


def test_a_required_skill_without_evidence_is_a_reason() -> None:
    package = Package(STAGE.format("draw"), care=some_care(needs=(Needs.HOIST, Needs.DEMENTIA))).start()
    drawn = _draw(ALDER, BIRCH, CEDAR, ELM)
    package.enter("one", *_rank(drawn), order=[Order.DRAW])
    for each in drawn:
        package.pass_over(each, PassOverReason.NO_EVIDENCE_OF_SKILL)
    assert package.find_violations() == []
    package.market.skills = (Needs.HOIST,)
    assert _finds("was passed over for ['no evidence", package)


def _designate(*candidates: StageCandidate, follows: FollowedPackage | None = None) -> Package:
    market = Market(
        places={
            ALDER: {"tier": Tiers.TWO, "number": 1},
            BIRCH: {"number": 1},
            CEDAR: {"tier": Tiers.TWO, "number": 2},
            ELM: {"lot": LotKey("reablement"), "number": 1},
        }
    )
    package = Package(DESIGNATED, market).start(follows=follows)
    return package.enter("one", *candidates, order=[Order.NUMBER], tiers=Tiers.ALL)


BY_NUMBER: Final = (
    build_candidate(BIRCH, 1, number=1),
    build_candidate(ALDER, 2, number=1, tier=Tiers.TWO),
    build_candidate(CEDAR, 3, number=2, tier=Tiers.TWO),
)


def test_the_first_tiers_provider_comes_before_the_others_by_number() -> None:
    assert _designate(*BY_NUMBER).find_violations() == []
    wrong = [each.model_copy(update={"rank": 4 - each.rank}) for each in BY_NUMBER]
    assert _finds("the order is", _designate(*wrong))


def test_the_provider_of_the_package_that_is_followed_comes_first() -> None:
    follows = an_example_of(FollowedPackage, provider_id=CEDAR, lot=LOT)
    assert _designate(*BY_NUMBER, follows=follows).find_violations() == []
    follows = an_example_of(FollowedPackage, provider_id=ELM, lot=LotKey("reablement"))
    assert _finds("does not begin with", _designate(*BY_NUMBER, follows=follows))
    assert _finds("does not begin with", _designate(follows=follows))


def test_a_stage_that_is_not_meant_for_the_package_is_found() -> None:
    stages = STAGE.format("draw").replace("order:", "when: {urgent: true}, order:")
    drawn = _draw(ALDER, BIRCH, CEDAR, ELM)
    package = Package(stages).start().enter("one", *_rank(drawn), order=[Order.DRAW])
    assert _finds("went through the stages ['one'], not []", package)


def test_an_order_other_than_that_of_the_definition_is_found() -> None:
    package = Package(STAGE.format("draw")).start()
    assert _finds("states the order", package.enter("one", *_rank_by_price(*PRICES), order=[Order.PRICE]))


def _finds(text: str, package: Package) -> bool:
    found = package.find_violations()
    assert any(text in each for each in found), found
    return True
