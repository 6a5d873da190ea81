"""The trail of a package: lines in order, and their causes."""

from collections.abc import Iterable

from audit.domain.names import Names
from audit.domain.records import RawRecord, parse_record
from audit.domain.trail import TrailLine, find_providers, list_events, select_first_occurrences, write_trail
from contracts.catalogue import encode
from contracts.events.offers import AcceptancesOrdered, OfferDeclined, OfferDelivered, OfferMade
from contracts.events.operations import KeyParked
from contracts.events.packages import FollowedPackage, PackageRequested
from contracts.events.searches import PackagePlaced, StageCandidate, StageEntered
from contracts.examples import COUNCIL, an_example_of
from contracts.values import Wishes
from testkit.audit.builders import PACKAGE, RecordBuilder, to_provider_id, verify

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
PROVIDERS_BY_ID = {ALDER: "Alder", BIRCH: "Birch"}


def write_lines(records: Iterable[RawRecord]) -> list[TrailLine]:
    rows = select_first_occurrences(verify(map(parse_record, records)), COUNCIL)
    return write_trail(rows, Names.from_events(list_events(rows), PROVIDERS_BY_ID))


def test_causes_are_resolved_to_lines_of_the_trail() -> None:
    builder = RecordBuilder()
    requested = an_example_of(PackageRequested)
    first = builder.make_envelope(requested, cause="command:1", actor="system:council-1")
    made = an_example_of(OfferMade, provider_id=ALDER)
    second = builder.make_envelope(made, cause=str(first.id))
    declined = an_example_of(OfferDeclined, provider_id=ALDER)
    third = builder.make_envelope(declined, cause="command:2", actor=f"provider:{ALDER}")
    placed = an_example_of(PackagePlaced, provider_id=BIRCH)
    fourth = builder.make_envelope(placed, cause=f"timer:next-offer-due:{third.id}")
    reached = an_example_of(OfferDelivered, provider_id=ALDER)
    fifth = builder.make_envelope(reached, cause="webhook:1")
    pairs = [(first, requested), (second, made), (second, made), (third, declined), (fourth, placed), (fifth, reached)]
    lines = write_lines([builder.make_record(*pair) for pair in pairs])

    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert [(line.why.line, line.why.text) for line in lines] == [
        (None, "system council-1 sent the command"),
        (1, "because of line 1"),
        (None, "Alder sent the command"),
        (3, "the timer next offer due was due, set by line 3"),
        (2, "outcome of the webhook about the offer of line 2"),
    ]
    assert [line.who for line in lines] == ["system council-1", "sourcing", "Alder", "sourcing", "provider-registry"]
    assert all(line.verified for line in lines)


def test_all_mentioned_providers_are_found() -> None:
    follows = an_example_of(FollowedPackage, provider_id=to_provider_id("Dogwood"))
    events = [
        an_example_of(PackageRequested, wishes=Wishes(refused=(ALDER,)), follows=follows),
        an_example_of(
            AcceptancesOrdered, candidates=(an_example_of(StageCandidate, provider_id=to_provider_id("Elder")),)
        ),
        an_example_of(StageEntered, candidates=(an_example_of(StageCandidate, provider_id=BIRCH),)),
        an_example_of(OfferMade, provider_id=to_provider_id("Cedar")),
    ]
    assert find_providers(events) == {ALDER, BIRCH, *map(to_provider_id, ("Cedar", "Dogwood", "Elder"))}


def test_a_parked_key_is_ordered_by_time() -> None:
    builder = RecordBuilder()
    first = builder.publish(an_example_of(PackageRequested))
    parked = builder.publish(an_example_of(KeyParked, parked_key=str(PACKAGE)))
    last = builder.publish(an_example_of(OfferMade, provider_id=ALDER))
    lines = write_lines([*first, *last, *parked])
    assert [line.type.split(".")[1] for line in lines] == ["PackageRequested", "KeyParked", "OfferMade"]


def test_an_event_of_an_unknown_type_has_a_line() -> None:
    builder = RecordBuilder()
    requested = an_example_of(PackageRequested)
    unknown = builder.make_envelope(requested).model_copy(update={"type": "calloff.New.v1"}).seal(encode(requested))
    (line,) = write_lines([builder.make_record(unknown, requested)])
    assert (line.what, line.verified) == ("An event of the type calloff.New.v1, which cannot be read here", False)


def test_another_councils_events_are_not_in_the_trail() -> None:
    builder = RecordBuilder(council=COUNCIL)
    rows = verify([parse_record(each) for each in builder.publish(an_example_of(PackageRequested))])
    assert select_first_occurrences(rows, type(COUNCIL)("elsewhere")) == []
