"""The page of events describes every field and lists the handlers of each event."""

import pytest
from pydantic import BaseModel

from contracts.catalogue import CATALOGUE, CatalogueEntry
from contracts.documentation import Audience, describe_field, list_values, render_events_page
from contracts.envelope import Envelope
from contracts.events.offers import OfferMade
from contracts.values import Care, Terms
from contracts.vocabulary import MEANINGS

EVERY_CLASS = [Envelope, *(entry.event for entry in CATALOGUE)]
VALUES = [kind for kind in list_values(CATALOGUE) if issubclass(kind, BaseModel)]


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.event.__name__)
def test_every_field_of_an_event_has_a_meaning(entry: CatalogueEntry) -> None:
    for name, field in entry.event.model_fields.items():
        assert describe_field(entry.event, name, field)


def test_the_value_classes_of_an_offer_have_their_own_sections() -> None:
    assert {Care, Terms} <= set(VALUES)


def test_every_meaning_belongs_to_a_field() -> None:
    names = {name for kind in (*EVERY_CLASS, *VALUES) for name in kind.model_fields}
    own = {f"{kind.__name__}.{name}" for kind in (*EVERY_CLASS, *VALUES) for name in kind.model_fields}
    assert [name for name in MEANINGS if name not in names | own] == []


def test_the_page_lists_the_handlers_and_projections_of_an_event_with_an_example() -> None:
    audience = Audience(handlers=(("provider-registry", "send_offer"),), projections=(("pricing", "offers"),))
    page = render_events_page(CATALOGUE, {OfferMade: audience}, {OfferMade: "{}"})
    part = page.partition("### OfferMade\n")[2].partition("\n### ")[0]
    assert (
        "published by sourcing. Handled by provider-registry (`send_offer`). Stored in projections: pricing (`offers`)."
        in part
    )
    assert "| `care` | [Care](#care) | what is to be sourced" in part
    assert "```json\n{}\n```" in part
