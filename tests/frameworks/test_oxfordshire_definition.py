"""Live Well at Home agrees with the report on its extension (document 004, cited by paragraph)."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

from contracts.definitions import read_definition
from contracts.examples import some_care
from contracts.framework.life import JoiningMode
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import Designated
from contracts.ids import AreaCode, LotKey, RouteKey, ServiceTypeKey, TierKey
from contracts.review.explanation import explain_definition
from contracts.terms import compute_terms
from contracts.values import Care, Terms

FILE = Path(__file__).parents[2] / "frameworks" / "oxfordshire-live-well-at-home.yaml"
FRAMEWORK = read_definition(FILE.read_text(encoding="utf-8"), source=FILE.name)
LOT_1A, LOT_1B, LOT_2 = LotKey("lot-1a"), LotKey("lot-1b"), LotKey("lot-2")
HOME_CARE = ServiceTypeKey("home-care")


def _a_package(lot: LotKey, area: str, service_type: str, route: str) -> Care:
    return some_care(
        framework=FRAMEWORK.framework,
        lot=lot,
        area=AreaCode(area),
        service_type=ServiceTypeKey(service_type),
        route=RouteKey(route),
    )


def _compute_terms(care: Care) -> Terms:
    terms = compute_terms(care, FRAMEWORK)
    assert terms is not None
    return terms


def _list_road(care: Care) -> list[str]:
    return [stage.stage for stage in FRAMEWORK.list_road(FRAMEWORK.describe_kind(care))]


def test_it_was_extended_by_two_years_and_may_be_by_one_more() -> None:
    """Paragraphs 3, 5 and 56."""
    assert (FRAMEWORK.runs_from, FRAMEWORK.runs_until) == (date(2021, 8, 18), date(2027, 3, 31))
    assert [(each.until, each.notice_by) for each in FRAMEWORK.extensions] == [(date(2028, 3, 31), date(2024, 9, 30))]


def test_applications_were_suspended_for_a_year() -> None:
    """Paragraphs 16, 28 and 57."""
    joining = FRAMEWORK.joining
    assert joining.mode is JoiningMode.OPEN
    assert joining.suspended is not None
    assert (joining.suspended.since, joining.suspended.until) == (date(2024, 1, 1), date(2025, 1, 31))


def test_the_lots_have_five_zones_thirteen_zones_and_fourteen_schemes_in_four_clusters() -> None:
    """Paragraphs 12, 15 and 19."""
    areas = {lot.lot: [area for area in FRAMEWORK.areas if lot.has_area(area.code)] for lot in FRAMEWORK.lots}
    assert {lot: len(found) for lot, found in areas.items()} == {LOT_1A: 5, LOT_1B: 13, LOT_2: 14}
    assert [area.name for area in areas[LOT_1A]] == [
        "Cherwell",
        "Oxford",
        "South Oxfordshire",
        "Vale of White Horse",
        "West Oxfordshire",
    ]
    assert set(Counter(area.cluster for area in areas[LOT_2])) == {
        "Oxford and Central",
        "South and Vale",
        "North",
        "West",
    }


def test_six_schemes_are_outside_with_their_reason() -> None:
    """Paragraph 18."""
    outside = [area for area in FRAMEWORK.areas if area.outside is not None]
    assert len(outside) == 6
    assert all("Order of St John" in str(area.outside) for area in outside)
    assert not any(lot.has_area(area.code) for lot in FRAMEWORK.lots for area in outside)


def test_the_strategic_provider_is_alone_in_its_zone_and_expected_to_take_everything() -> None:
    """Paragraph 13."""
    tier = FRAMEWORK.find_tier(TierKey("strategic"))
    assert tier is not None
    assert tier.expectation is not None
    assert (tier.providers_per_area, tier.expectation.share_percent, tier.lots) == (1, 100, (LOT_1A,))


def test_care_after_hospital_goes_to_the_strategic_provider_and_then_to_shadows_by_number() -> None:
    """Paragraph 13."""
    assert _list_road(_a_package(LOT_1A, "E07000177", "reablement", "hospital-discharge")) == ["strategic-and-shadows"]
    stage = FRAMEWORK.get_offering_stage("strategic-and-shadows")
    assert isinstance(stage, Designated)
    assert stage.to.tiers == ("strategic", "shadow")


def test_long_term_care_goes_to_the_provider_of_the_reablement_before_the_zone() -> None:
    """Paragraphs 12 and 29."""
    road = _list_road(_a_package(LOT_1B, "zone-7", "home-care", "after-reablement"))
    assert road == ["reablement-provider", "accredited", "zone"]
    stage = FRAMEWORK.get_offering_stage("reablement-provider")
    assert isinstance(stage, Designated)
    assert stage.follows_in == (LOT_1A,)


def test_the_explanation_tells_a_reader_of_care_that_follows_reablement() -> None:
    text = explain_definition(FRAMEWORK)
    assert "A referral for home care in Zone 1 (community referral):" in text
    assert (
        "1. **reablement-provider**: If the package follows another one of 1A Reablement and homecare following "
        "hospital admission, the provider that delivers that one is asked first. For a package that follows none, "
        "this stage asks nobody." in text
    )
    assert (
        "2. **accredited**: The active providers of the area (Accredited zonal provider) are offered the package"
        in text
    )
    assert "A referral for home care in Cherwell (hospital discharge, urgent):" in text
    assert "(Strategic provider, then Shadow provider) are asked one at a time, in the order of their numbers." in text


def test_a_scheme_has_its_own_provider() -> None:
    """Paragraph 18."""
    assert _list_road(_a_package(LOT_2, "scheme-14", "extra-care", "extra-care-nomination")) == ["scheme"]


def test_fees_are_fixed_and_those_of_the_report() -> None:
    """Paragraph 20; the report prints "£1.174"."""
    assert FRAMEWORK.prices.rates_set_by is RatesSetBy.FRAMEWORK
    assert not FRAMEWORK.prices.invented
    rates = {line.item_key: line.rate for line in FRAMEWORK.prices.matrix}
    assert rates == {
        "home-care": Decimal("29.07"),
        "reablement": Decimal("1174.00"),
        "live-in-with-break": Decimal("1507.00"),
        "live-in-without-break": Decimal("1100.00"),
        "waking-night": Decimal("29.07"),
        "sleeping-night": Decimal("29.07"),
        "on-site-care": Decimal("68.32"),
        "care-support": Decimal("29.07"),
    }


def test_a_package_of_extra_care_has_two_lines() -> None:
    terms = _compute_terms(_a_package(LOT_2, "scheme-1", "extra-care", "extra-care-nomination"))
    assert [(line.item, line.quantity, line.cost) for line in terms.lines] == [
        ("on-site-care", Decimal("1.00"), Decimal("68.32")),
        ("care-support", Decimal("3.50"), Decimal("101.75")),
    ]
    assert (terms.weekly_cost, terms.fixed_cost) == (Decimal("170.07"), Decimal("0.00"))


def test_an_episode_of_reablement_is_paid_once() -> None:
    terms = _compute_terms(_a_package(LOT_1A, "E07000178", "reablement", "hospital-discharge"))
    assert (terms.weekly_cost, terms.fixed_cost) == (Decimal("0.00"), Decimal("1174.00"))
