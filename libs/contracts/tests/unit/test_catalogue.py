"""The catalogue is complete; its events survive encoding and contain no personal data."""

import json
import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from pydantic import BaseModel, ValidationError

from contracts import ids
from contracts.catalogue import BY_TYPE, CATALOGUE, TOPICS, CatalogueEntry, decode, encode, find_entry
from contracts.compatibility import Schema
from contracts.events.base import (
    Event,
    HasProjectionVersions,
    HasProvider,
    HasReason,
    HasReasons,
    HasStage,
    PackageEvent,
    ProviderEvent,
)
from contracts.events.lists import ListEvent, ListIssued
from contracts.examples import an_envelope_of, an_example_of
from contracts.schemas import generate_schemas

CLOUDEVENTS = Path(__file__).parents[5] / "shared/data/standards/cloudevents/cloudevents.schema.json"
SCHEMAS = generate_schemas()
KEYS: Set[object] = {
    ids.CouncilKey,
    ids.FrameworkKey,
    ids.AreaCode,
    ids.LotKey,
    ids.TierKey,
    ids.ServiceTypeKey,
    ids.UnitKey,
    ids.ItemKey,
    ids.RouteKey,
    ids.NeedKey,
    ids.ReasonKey,
    ids.GroupKey,
    ids.BandKey,
    ids.CriterionKey,
}
BASES = {
    HasProvider: "provider_id",
    HasStage: "stage",
    HasReason: "reason",
    HasReasons: "reasons",
    HasProjectionVersions: "views",
}
REASON_LISTS = (
    "decline",
    "withdrawal",
    "price_refusal",
    "inadequate_award",
    "variation",
    "score",
    "overrule",
    "competition_end",
    "officer",
)
WORDS = (
    "service_types",
    "lots",
    "tiers",
    "units",
    "routes",
    "skills",
    "circumstances",
    "travel_bands",
    "list_groups",
    *(f"reasons.{each}" for each in REASON_LISTS),
)
WITHOUT_REASON_CODE = {"SourcingExhausted", "SourcingStopped"}
WITH_TEXT_REASON = {"OfferUndeliverable"}
every_event = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.event.__name__)


def _find_faults(draft: Any, schema: Schema, document: object) -> list[str]:
    """Returns the errors of jsonschema, which is untyped, hence Any."""
    return [str(fault) for fault in draft(dict(schema), format_checker=FormatChecker()).iter_errors(document)]


def _find_subclasses(kind: type[Event]) -> Iterator[type[Event]]:
    for child in kind.__subclasses__():
        yield child
        yield from _find_subclasses(child)


def test_every_event_class_is_in_the_catalogue_once() -> None:
    classes = [
        kind
        for kind in _find_subclasses(Event)
        if kind not in {PackageEvent, ProviderEvent, ListEvent, ListIssued, *BASES}
    ]
    assert sorted({kind.__name__ for kind in classes}) == sorted(entry.event.__name__ for entry in CATALOGUE)
    assert len(BY_TYPE) == len(CATALOGUE)


@every_event
def test_an_event_has_a_topic_and_a_docstring(entry: CatalogueEntry) -> None:
    assert entry.topic in TOPICS
    assert find_entry(entry.event) is entry
    assert entry.event.__doc__


@every_event
def test_a_package_event_has_the_base_class_of_each_shared_field(entry: CatalogueEntry) -> None:
    if not issubclass(entry.event, PackageEvent):
        return
    without_base = {"reason"} if entry.event.__name__ in WITHOUT_REASON_CODE | WITH_TEXT_REASON else set[str]()
    expected = {field for field in BASES.values() if field in entry.event.model_fields} - without_base
    assert {field for base, field in BASES.items() if issubclass(entry.event, base)} == expected


@every_event
def test_an_event_survives_encoding_and_decoding(entry: CatalogueEntry) -> None:
    event = an_example_of(entry.event)
    assert decode(entry.event, encode(event)) == event
    assert encode(decode(entry.event, encode(event))) == encode(event)


@every_event
def test_the_correlation_id_of_an_event_is_its_key(entry: CatalogueEntry) -> None:
    event = an_example_of(entry.event)
    assert event.key
    assert event.correlation == event.key


@every_event
def test_an_encoded_event_conforms_to_its_schema(entry: CatalogueEntry) -> None:
    schema = SCHEMAS[f"{entry.event.__name__}.v{entry.event.version}.json"]
    payload = json.loads(encode(an_example_of(entry.event)))
    assert _find_faults(Draft202012Validator, schema, payload) == []


@every_event
def test_the_structured_form_of_an_event_is_a_cloudevent(entry: CatalogueEntry) -> None:
    if not CLOUDEVENTS.exists():
        pytest.skip("the CloudEvents schema is not on this machine: ../shared/data is absent")
    event = an_example_of(entry.event)
    schema = json.loads(CLOUDEVENTS.read_text(encoding="utf-8"))
    document = an_envelope_of(event).to_structured(encode(event))
    assert _find_faults(Draft7Validator, schema, document) == []
    names = set(document) - {"data"}
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in names), "CloudEvents: attribute names"


def _add_unknown_fields(value: object) -> object:
    """Adds an unknown field to every object of a payload, as a later producer might."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {**{name: _add_unknown_fields(inner) for name, inner in fields.items()}, "unknown_field": [1]}
    if isinstance(value, list):
        return [_add_unknown_fields(item) for item in cast("list[object]", value)]
    return value


@every_event
def test_readers_skip_unknown_fields_at_every_depth(entry: CatalogueEntry) -> None:
    event = an_example_of(entry.event)
    later = json.dumps(_add_unknown_fields(json.loads(encode(event))))
    assert decode(entry.event, later.encode()) == event


@every_event
def test_producers_cannot_add_fields(entry: CatalogueEntry) -> None:
    with pytest.raises(ValidationError, match="unknown_field"):
        an_example_of(entry.event, unknown_field=1)


# Fields of free text, and why they contain no personal data. Keys of words are not listed: the definition checks them.
OPEN_TEXT = {
    "ProviderRegistered name": "companies, public",
    "FrameworkPublished definition.brokerage.timezone": "checked against the time zone database",
    **{
        f"FrameworkPublished definition.{path}": "the council's own words, public"
        for path in (
            "title",
            "source",
            "assumed[].setting",
            "assumed[].because",
            "joining.rounds[].name",
            "joining.suspended.because",
            "areas[].name",
            "areas[].cluster",
            "areas[].outside",
            "tiers[].entry[].evidence",
            "tiers[].entry[].boundary",
            "brokerage.overrides[].name",
            "prices.price_list",
            "sourcing[].note",
            "sourcing[].criteria[].title",
            "sourcing[].criteria[].description",
            *(f"{section}[].{name}" for section in WORDS for name in ("title", "description")),
        )
    },
    **{
        f"{event} {path}": "names of price lists"
        for event, path in (
            ("OfferMade", "terms.price_list"),
            ("PackagePlaced", "terms.price_list"),
            ("ProposalReceived", "terms.price_list"),
            ("AwardAwaitsApproval", "terms.price_list"),
            ("PlacementByHandProposed", "terms.price_list"),
            ("PlacedByHand", "terms.price_list"),
            ("CounterOfferMade", "terms.price_list"),
            ("BidOpened", "terms.price_list"),
            ("PurchaseOrderIssued", "price_list"),
        )
    },
}
PERSONAL = re.compile(
    r"name|address|post_?code|nhs|phone|mobile|e?mail|birth|dob|surname|forename|note(?!_id)|comment|text|contact"
)
NOT_PERSONAL = {"phone", "email"}  # answer_within: how long a provider has to answer


def _find_fields(schema: Schema, root: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        definitions = cast("dict[str, dict[str, object]]", root["$defs"])
        yield from _find_fields(definitions[reference.removeprefix("#/$defs/")], root, path)
        return
    yield path, schema
    for name, inner in cast("dict[str, dict[str, object]]", schema.get("properties", {})).items():
        yield from _find_fields(inner, root, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from _find_fields(cast("dict[str, object]", schema["items"]), root, f"{path}[]")
    for alternatives in (schema.get("anyOf", []), schema.get("oneOf", [])):
        for option in cast("list[dict[str, object]]", alternatives):
            yield from _find_fields(option, root, path)


def _is_open_text(schema: Schema) -> bool:
    return schema.get("type") == "string" and not {"enum", "const", "format", "pattern"} & set(schema)


def _find_event_fields() -> Iterator[tuple[str, str, Schema]]:
    for entry in CATALOGUE:
        root = SCHEMAS[f"{entry.event.__name__}.v{entry.event.version}.json"]
        for path, schema in _find_fields(root, root, ""):
            yield entry.event.__name__, path, schema


def _find_keys(annotation: object, path: str) -> Iterator[str]:
    """Yields the paths of the fields whose type is the key of a word or of an area, framework or council."""
    if annotation in KEYS:
        yield path
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from _find_keys(field.annotation, f"{path}.{name}".lstrip("."))
    else:
        for part in get_args(annotation):
            yield from _find_keys(part, f"{path}[]" if get_origin(annotation) is tuple else path)


def test_free_text_is_allowed_only_in_the_listed_fields() -> None:
    found = {f"{event} {path}" for event, path, schema in _find_event_fields() if _is_open_text(schema)}
    keys = {f"{entry.event.__name__} {path}" for entry in CATALOGUE for path in _find_keys(entry.event, "")}
    assert found - keys == set(OPEN_TEXT)


def test_no_field_is_named_like_personal_data() -> None:
    suspicious = {
        f"{event} {path}"
        for event, path, _ in _find_event_fields()
        if PERSONAL.search(path.rpartition(".")[2]) and path.rpartition(".")[2] not in NOT_PERSONAL
    }
    assert suspicious <= set(OPEN_TEXT)
