"""What is committed under docs/ is what the code says, and what readers are told to send is taken."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from devstack.config import SERVICES
from devstack.docs import events_page, openapi
from devstack.home import EXAMPLE_REFERRAL
from geography import Postcode
from referral.api.referrals import ReferralIn
from simulator.people import is_valid_nhs_number, nhs_number


def test_the_committed_openapi_pages_are_what_the_services_say() -> None:
    assert openapi.out_of_date() == [], "run `make docs` and commit what it wrote"


def test_the_committed_page_of_events_is_what_the_services_say() -> None:
    assert not events_page.is_out_of_date(), "run `make docs` and commit what it wrote"


def test_a_page_is_written_where_it_is_missing_and_one_of_no_service_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openapi, "FOLDER", tmp_path)
    (tmp_path / "gone.json").write_text("{}")
    openapi.write()
    assert {page.stem for page in tmp_path.iterdir()} == {service.name for service in SERVICES}
    assert openapi.out_of_date() == []


@pytest.mark.parametrize("page", sorted(openapi.FOLDER.glob("*.json")), ids=lambda page: page.stem)
def test_a_page_is_openapi_and_refers_to_nothing_that_it_does_not_hold(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    # jsonschema's own types stop at the schemas it takes.
    Draft202012Validator(OPENAPI_31).validate(document)  # pyright: ignore[reportUnknownMemberType]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r': "(#/[^"]*)"', text))
    assert [reference for reference in references if not _is_held(document, reference)] == []


def _is_held(document: dict[str, Any], reference: str) -> bool:
    held: Any = document
    for name in reference.removeprefix("#/").split("/"):
        if name not in held:
            return False
        held = held[name]
    return reference.startswith("#/components/")


def test_the_example_referral_is_one_for_somebody_invented_and_can_be_posted_for_years() -> None:
    body: dict[str, Any] = json.loads(EXAMPLE_REFERRAL.read_text(encoding="utf-8"))
    example = ReferralIn.model_validate(body)
    assert example.starts_on > date.today() + timedelta(days=365)  # noqa: DTZ011 - a year off, whatever the zone
    assert example.person.nhs_number == nhs_number(0), "of the test range, and of none of the simulated adults"
    assert is_valid_nhs_number(nhs_number(0))
    assert Postcode.parse(example.person.address.postcode).outward == "CM1"
