"""`calloff replay`: every decision is made again from audit's evidence, and each difference is printed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from calloff.commands.output import out
from calloff.replay.main import app
from contracts.catalogue import encode, find_entry
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from contracts.events.packages import PackageRequested
from contracts.events.searches import ListUsed, ProviderPassedOver, StageEntered
from contracts.example_words import Tiers
from contracts.values import PassOverReason
from sourcing.domain.recorded_market import RecordedMarket, RecordedPlacement
from sourcing.domain.replay_triggers import RecordedEvent
from testkit.sourcing.builders import PACKAGE, a_known_provider, a_market, on_monday
from testkit.sourcing.recorded_search import RecordingDriver, replace_event


class Services(Protocol):
    """The fixture `services`."""

    answers: dict[str, tuple[int, object]]


def run(*options: str) -> Result:
    return CliRunner().invoke(app, [str(PACKAGE), *options])


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> RecordingDriver:
    """Alder is embargoed, Birch declines, Cedar accepts."""
    monkeypatch.setattr(out, "width", 500)
    driver = RecordingDriver(a_market("Alder", "Birch", "Cedar", overrides=[a_known_provider("Alder", embargoed=True)]))
    driver.request()
    driver.deliver(at=on_monday("09:00:30"))
    driver.decline("Birch", at=on_monday("09:10"))
    driver.deliver(at=on_monday("09:10:30"))
    driver.accept("Cedar", at=on_monday("09:20"))
    return driver


def answer_evidence(
    services: Services, driver: RecordingDriver, record: Sequence[RecordedEvent] | None = None, **changed: object
) -> None:
    """Lets audit answer with the record (by default the driver's) and the driver's market."""
    evidence = {**encode_record(record or driver.record), **encode_market(driver.past.market)}
    path = f"audit/v1/packages/{PACKAGE}/evidence"
    services.answers[path] = (200, {"verified": True, "archives": [], **evidence, **changed})


def encode_record(record: Sequence[RecordedEvent]) -> dict[str, object]:
    return {
        "events": [
            {**encode_event(each.event, at=str(each.at)), "event_id": str(each.event_id), "cause": each.cause}
            for each in record
        ]
    }


def encode_market(market: RecordedMarket) -> dict[str, object]:
    return {
        "definitions": [
            encode_event(FrameworkPublished(definition=each.definition), at=str(each.at)) for each in market.definitions
        ],
        "ranked_lists": [encode_event(each.ranked_list, at=str(each.at)) for each in market.lists],
        "provider_events": [
            encode_event(each.event, at=str(each.at), sequence=each.sequence)
            for facts in market.facts.values()
            for each in facts
        ],
        "placements": [encode_placement(each) for each in market.placements],
    }


def encode_event(event: Event, *, at: str, sequence: int = 1) -> dict[str, Any]:  # an event in JSON
    return {
        "event_id": "0197a3c0-0000-7000-8000-000000000001",
        "type": event.get_type_name(),
        "source": f"/calloff/{find_entry(type(event)).owner}",
        "sequence": sequence,
        "at": at,
        "cause": "command:test",
        "actor": "service:test",
        "payload": json.loads(encode(event)),
    }


def encode_placement(placement: RecordedPlacement) -> Mapping[str, object]:
    return {name: None if value is None else str(value) for name, value in vars(placement).items()}


def test_decisions_that_are_the_same_are_listed_by_time_with_their_number(
    services: Services, driver: RecordingDriver
) -> None:
    answer_evidence(services, driver)
    result = run()
    assert result.output.splitlines() == [
        "12 Jan 09:00:00  sourcing started, stage entered, provider passed over, offer made: same",
        "12 Jan 09:00:30  offer clock started: same",
        "12 Jan 09:10:00  offer declined: same",
        "12 Jan 09:10:00  offer made: same",
        "12 Jan 09:10:30  offer clock started: same",
        "12 Jan 09:20:00  offer accepted, package placed: same",
        "same: 6 decisions",
    ]
    assert result.exit_code == 0


def test_each_difference_is_printed_with_its_decision(services: Services, driver: RecordingDriver) -> None:
    record = replace_event(driver.record, ProviderPassedOver, reasons=(PassOverReason.NO_CAPACITY,))
    record = replace_event(record, StageEntered, lists=(ListUsed(tier=Tiers.ONE, list_version=2),))
    answer_evidence(services, driver, record)
    result = run()
    first, *_, last = result.output.splitlines()
    assert first == (
        "12 Jan 09:00:00  sourcing started, stage entered, provider passed over, offer made: "
        "StageEntered.lists[0].list_version: the record has 2, the replay 1; "
        f"ProviderPassedOver.reasons[0]: the record has {PassOverReason.NO_CAPACITY}, "
        f"the replay {PassOverReason.EMBARGOED}"
    )
    assert (last, result.exit_code) == ("differs: 1 of 6", 1)


def test_the_result_is_printed_as_json(services: Services, driver: RecordingDriver) -> None:
    answer_evidence(services, driver)
    result = run("--json")
    printed = json.loads(result.output)
    assert (printed["verified"], printed["same"], result.exit_code) == (True, True, 0)
    assert [each["differences"] for each in printed["decisions"]] == [[]] * 6
    assert printed["decisions"][-1]["events"] == ["OfferAccepted", "PackagePlaced"]


def test_a_package_without_a_decision_is_the_same(services: Services, driver: RecordingDriver) -> None:
    requested = [each for each in driver.record if isinstance(each.event, PackageRequested)]
    answer_evidence(services, driver, requested)
    assert (run().output, run().exit_code) == ("same: 0 decisions\n", 0)


def test_evidence_that_does_not_verify_is_an_error(services: Services, driver: RecordingDriver) -> None:
    answer_evidence(services, driver, verified=False)
    result = run()
    assert "The evidence does not verify" in result.output
    assert result.exit_code == 1


def test_a_package_that_begins_in_an_archive_is_not_replayed(services: Services, driver: RecordingDriver) -> None:
    answer_evidence(services, driver, archives=["audit-record-2026-01.jsonl.gz"])
    result = run()
    assert "Evidence archived: the package's first events are in audit-record-2026-01.jsonl.gz" in result.output
    assert result.exit_code == 1


def test_an_event_of_a_newer_release_is_named(services: Services, driver: RecordingDriver) -> None:
    answer_evidence(services, driver)
    _, evidence = services.answers[f"audit/v1/packages/{PACKAGE}/evidence"]
    assert isinstance(evidence, dict)
    evidence["events"][-1]["type"] = "calloff.PackageParcelled.v1"
    result = run()
    assert "this release cannot read calloff.PackageParcelled.v1" in result.output
    assert result.exit_code == 1


def test_an_unknown_package_is_an_error(services: Services) -> None:
    assert services.answers == {}
    assert run().exit_code == 1
