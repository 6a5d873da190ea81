"""Competitions over HTTP on real PostgreSQL and Kafka: from the invitation to the placement and its feedback."""

import json
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from contracts.example_words import CompetitionEndReasons, Criteria, OverruleReasons
from contracts.sealed_bids import compute_commitment
from testkit.chain_checker import remove_repeats
from testkit.databases import fetch_rows
from testkit.sourcing.competition_market import CompetitionMarket
from testkit.sourcing.competitions import a_competition, name_the_price
from testkit.sourcing.harness import ANSWER, SourcingHarness

pytestmark = pytest.mark.xdist_group("sourcing")


async def test_from_invitation_to_placement_and_feedback(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    listed = await market.market.request_as_provider("Alder", "GET", "/v1/competitions")
    assert [each["competition_id"] for each in listed.body["items"]] == [str(competition.competition_id)]
    shown = (await competition.as_provider("Alder", "GET")).body
    assert [(each["title"], each["weight"]) for each in shown["criteria"]] == [
        ("Continuity of carers", 40),
        ("Skills of the team", 30),
    ]
    assert (shown["ceiling"], shown["my_bid"]) == (None, None)
    assert str(competition.package) not in json.dumps(shown)

    assert (await competition.bid("Alder", "24.00")).status == 200
    assert (await competition.bid("Birch", "20.00")).status == 200
    await competition.close()
    assert (await harness.wait_for_work_item(competition.package)).what == "bids to score"
    await competition.score_all({"Alder": (4, 5), "Birch": (3, 3)})
    ranking = (await competition.as_officer("GET", "/ranking")).body["items"]
    assert [(each["quality"], each["price"], each["total"]) for each in ranking] == [
        ("62.00", "25.00", "87.00"),
        ("42.00", "30.00", "72.00"),
    ]
    assert (await harness.wait_for_work_item(competition.package)).what == "result to confirm"
    assert (await competition.as_provider("Birch", "GET", "/feedback")).status == 404

    answer = await competition.award("Alder")
    assert (answer.status, answer.body["result"]) == (200, "placed")
    decision = await harness.wait_for_status(competition.package, "placed")
    assert decision.placed_with == market.market.get_provider_id("Alder")
    feedback = (await competition.as_provider("Birch", "GET", "/feedback")).body
    assert [(each["score"], each["reason"], each["note"]) for each in feedback["scores"]] == [
        (3, "fully-met", "a note on Birch 3"),
        (3, "fully-met", "a note on Birch 3"),
    ]
    assert feedback["winner"] == {"quality": "62.00", "price": "25.00", "total": "87.00"}
    assert (feedback["rank"], feedback["bids"]) == (2, 2)
    assert await harness.find_faults([competition.package]) == []


async def test_what_kafka_has_opens_each_commitment(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch", competition=name_the_price())
    competition = await market.open_competition()
    bids = {"Alder": "24.00", "Birch": "23.99"}
    receipts = [(await competition.bid(name, rate, answers={})).body for name, rate in bids.items()]
    await competition.close()
    records = remove_repeats(await harness.read_kafka_records([competition.package]))
    opened = [json.loads(each.value or b"") for each in records if "BidOpened" in each.get_header("ce_type")]
    assert {each["commitment"] for each in receipts} == {
        compute_commitment(
            competition_id=each["competition_id"],
            provider_id=each["provider_id"],
            rate=Decimal(each["rate"]),
            content_hash=each["content_hash"],
            salt=each["salt"],
        )
        for each in opened
    }
    assert (await competition.award("Birch")).status == 200
    placed = (await harness.list_placements([competition.package]))[0]
    assert placed.provider_id == market.market.get_provider_id("Birch")


async def test_questions_are_answered_to_all_and_nobody_learns_who_asked(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    asked = await competition.as_provider("Alder", "POST", "/questions", {"text": "Is there a lift?"})
    assert asked.status == 201
    item = await harness.wait_for_work_item(competition.package)
    assert item.what == "questions to answer"
    seen = (await competition.show())["questions"][0]
    assert (seen["question"], seen["provider_id"]) == ("Is there a lift?", str(market.market.get_provider_id("Alder")))
    body = {"question_id": asked.body["question_id"], "text": "Yes, since May."}
    assert (await competition.as_officer("POST", "/answers", body)).status == 204
    read = (await competition.as_provider("Birch", "GET", "/questions")).body["items"]
    assert [(each["question"], each["answer"]) for each in read] == [("Is there a lift?", "Yes, since May.")]
    assert "provider_id" not in read[0]
    assert not await harness.is_on_work_list(competition.package)
    harness.advance_clock(timedelta(hours=3))
    late = await competition.as_provider("Birch", "POST", "/questions", {"text": "Is there parking?"})
    assert (late.status, late.body["title"]) == (409, "Questions are closed")


async def test_texts_that_are_erased_are_null_and_nothing_else_changes(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    competition = await market.open_competition()
    await competition.as_provider("Alder", "POST", "/questions", {"text": "Is there a lift?"})
    await competition.bid("Alder", "24.00")
    await competition.close()
    await competition.score_all({"Alder": (4, 5)})
    await fetch_rows(
        harness.sourcing.owner, "DELETE FROM competition_texts WHERE package_id = :package", package=competition.package
    )
    shown = await competition.show()
    assert shown["questions"][0]["question"] is None
    assert (shown["bids"][0]["answers"], shown["bids"][0]["opened"]["rate"]) == ([], "24.00")
    assert [each["note"] for each in shown["bids"][0]["scores"]] == [None, None]
    assert (await competition.award("Alder")).status == 200


async def test_an_overruled_result_waits_for_a_second_officer_at_pricing(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", "Birch")
    competition = await market.open_competition()
    await competition.bid("Alder", "24.00")
    await competition.bid("Birch", "20.00")
    await competition.close()
    await competition.score_all({"Alder": (4, 5), "Birch": (3, 3)})
    without = await competition.award("Birch")
    assert (without.status, [each["pointer"] for each in without.body["errors"]]) == (422, ["#/overrule_reason"])
    waits = await competition.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note="the carers know her")
    assert (waits.status, waits.body["result"]) == (202, "waits for a second officer")
    assert (await harness.wait_for_work_item(competition.package)).what == "price to approve"
    await competition.approve("Birch", waits.body["award_id"], officer="officer-1")
    await harness.wait_for_event(competition.package, "AwardRefused")
    again = await competition.award("Birch", overrule_reason=OverruleReasons.CONTINUITY, note="the carers know her")
    await competition.approve("Birch", again.body["award_id"])
    decision = await harness.wait_for_status(competition.package, "placed")
    assert decision.placed_with == market.market.get_provider_id("Birch")
    assert await harness.find_faults([competition.package]) == []


async def test_without_bids_the_next_stage_offers_the_package(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    competition = await market.open_competition()
    await competition.close()
    offer = await market.market.wait_for_offer("Alder", competition.package)
    assert (await market.market.accept("Alder", offer)).status == 200
    assert (await competition.as_provider("Alder", "GET")).body["ended"] == "no bids"
    assert await harness.find_faults([competition.package]) == []


async def test_an_officer_ends_a_competition_and_runs_it_again(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    competition = await market.open_competition()
    await competition.bid("Alder", "24.00")
    body = {"reason": CompetitionEndReasons.WRONG_CRITERIA, "note": "the criteria were wrong", "run_again": True}
    assert (await competition.as_officer("POST", "/end", body)).status == 200
    await harness.wait_for_event(competition.package, "CompetitionOpened", times=2)
    second = await market.wait_for_competition(competition.package)
    assert second.competition_id != competition.competition_id
    assert (await second.show())["bids"] == []
    listed = await harness.request_as_officer("GET", f"/v1/packages/{competition.package}/competitions")
    assert [each["status"] for each in listed.body["items"]] == ["ended", "open"]
    assert (await competition.bid("Alder", "20.00")).status == 409
    assert (await second.bid("Alder", "20.00")).status == 200
    assert (await competition.as_officer("POST", "/end", body)).status == 409


async def test_a_competition_of_others_is_not_found_and_a_foreign_bid_is_recorded(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    await market.market.add_spot_providers("Spruce")
    await market.market.wait_until_projected()
    competition = await market.open_competition()
    unknown = await market.market.request_as_provider("Alder", "GET", f"/v1/competitions/{uuid4()}")
    for method, path in (("GET", ""), ("GET", "/questions"), ("GET", "/feedback")):
        answer = await competition.as_provider("Spruce", method, path)
        assert (answer.status, answer.body["title"]) == (404, unknown.body["title"])
    refused = await competition.bid("Spruce", "20.00")
    assert (refused.status, refused.body["title"], refused.detail) == (404, unknown.body["title"], unknown.detail)
    assert (await harness.wait_for_decision(competition.package)).event_types[-1] == "BidRefused"
    assert (await market.market.request_as_provider("Spruce", "GET", "/v1/competitions")).body["items"] == []
    foreign = await harness.sourcing.request(
        "GET",
        f"/v1/competitions/{competition.competition_id}",
        ANSWER,
        provider_id=str(market.market.get_provider_id("Alder")),
        council="another-council",
    )
    assert foreign.status == 404


async def test_an_identical_request_with_its_key_is_one_bid_and_a_new_request_replaces_it(
    harness: SourcingHarness,
) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    competition = await market.open_competition()
    answers = [await competition.bid("Alder", "24.00", key="k-1") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert (await competition.bid("Alder", "23.00")).status == 200
    assert (await competition.as_provider("Alder", "DELETE", "/bid")).status == 204
    assert (await competition.as_provider("Alder", "DELETE", "/bid")).status == 409
    texts = await fetch_rows(
        harness.database, "SELECT 1 FROM competition_texts WHERE package_id = :package", package=competition.package
    )
    assert texts == []
    assert (await competition.bid("Alder", "22.00", answers={Criteria.SKILLS: "nurses"})).status == 422


async def test_an_officer_sees_competitions_under_way_page_by_page(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder", competition=a_competition(shows_ceiling=True))
    opened = [await market.open_competition() for _ in range(3)]
    assert (await opened[0].as_provider("Alder", "GET")).body["ceiling"] == "29.00"
    found, cursor = list[str](), ""
    while True:
        page = (await harness.request_as_officer("GET", f"/v1/competitions-under-way?limit=2{cursor}")).body
        found += [each["competition_id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert {str(each.competition_id) for each in opened} <= set(found)
    assert len(found) == len(set(found))


async def test_a_withdrawal_ends_the_competition(harness: SourcingHarness) -> None:
    market = await CompetitionMarket.create(harness, "Alder")
    competition = await market.open_competition()
    await competition.bid("Alder", "24.00")
    await market.market.withdraw_package(competition.package)
    await harness.wait_for_status(competition.package, "stopped")
    refused = await competition.bid("Alder", "23.00")
    assert (refused.status, refused.body["title"]) == (409, "This bid does not count")
    assert await harness.find_faults([competition.package]) == []
