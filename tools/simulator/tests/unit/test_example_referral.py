"""The example referral of the documentation can be posted, and is about an invented person."""

import json
from datetime import date, timedelta
from typing import Any

from devstack.home import EXAMPLE_REFERRAL
from geography import Postcode
from referral.api.submissions import ReferralIn
from simulator.person_factory import build_nhs_number, is_valid_nhs_number


def test_the_example_referral_can_be_posted_for_a_year_and_names_an_invented_person() -> None:
    body: dict[str, Any] = json.loads(EXAMPLE_REFERRAL.read_text(encoding="utf-8"))
    example = ReferralIn.model_validate(body)
    assert example.starts_on > date.today() + timedelta(days=365)  # noqa: DTZ011 - a year off, whatever the zone
    assert example.person.nhs_number == build_nhs_number(0), "of the test range, and of none of the simulated adults"
    assert is_valid_nhs_number(build_nhs_number(0))
    assert Postcode.parse(example.person.address.postcode).outward == "CM1"
