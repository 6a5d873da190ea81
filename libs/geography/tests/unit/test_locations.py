"""What an answer of the directory says, and what it keeps to itself."""

import pytest

from geography import ESSEX_DISTRICTS, District, GridReference, PostcodeLocation, UnknownLocation, WhyUnknown


def test_essex_has_twelve_districts_without_southend_and_thurrock() -> None:
    assert [district.code for district in ESSEX_DISTRICTS] == [f"E070000{number}" for number in range(66, 78)]
    assert [str(district) for district in ESSEX_DISTRICTS[:2]] == ["Basildon", "Braintree"]


def test_a_district_without_a_known_name_is_written_by_its_code() -> None:
    assert str(District("E06000033")) == "E06000033"


def test_three_metres_east_and_four_north_are_five_away() -> None:
    assert GridReference(570_000, 207_000).compute_distance(GridReference(570_003, 207_004)) == 5.0


def test_a_place_shows_no_figures_that_would_give_the_postcode_away() -> None:
    place = PostcodeLocation("CM1", District("E07000070", "Chelmsford"), GridReference(570_628, 206_915))
    assert "570628" not in repr(place)
    assert "206915" not in repr(place)


@pytest.mark.parametrize("why", WhyUnknown)
def test_an_unknown_place_names_its_outward_code_and_says_what_to_do(why: WhyUnknown) -> None:
    message = UnknownLocation("CM1", why).message
    assert message.startswith("CM1 … ")
    assert "; choose the district" in message
