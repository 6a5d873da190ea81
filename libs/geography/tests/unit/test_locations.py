"""Districts, distances, and what the repr and message of a location contain."""

import pytest

from geography import District, GridReference, PostcodeLocation, UnknownLocation, UnknownReason


def test_a_district_is_written_by_its_code() -> None:
    assert str(District("E06000033")) == "E06000033"


def test_three_metres_east_and_four_north_are_five_away() -> None:
    assert GridReference(570_000, 207_000).compute_distance(GridReference(570_003, 207_004)) == 5.0


def test_the_repr_of_a_location_does_not_contain_its_coordinates() -> None:
    location = PostcodeLocation("CM1", District("E07000070"), GridReference(570_628, 206_915))
    assert "570628" not in repr(location)
    assert "206915" not in repr(location)


@pytest.mark.parametrize("reason", UnknownReason)
def test_the_message_of_an_unknown_location_has_the_outward_code_and_a_remedy(reason: UnknownReason) -> None:
    message = UnknownLocation("CM1", reason).message
    assert message.startswith("CM1 … ")
    assert "; choose the district" in message
