"""Changes that break readers are found and explained; compatible changes are accepted."""

from copy import deepcopy
from typing import Any

import pytest

from contracts.compatibility import Breakage, compare_schemas, find_breakages

PUBLISHED: dict[str, Any] = {  # a JSON document
    "title": "OfferMade",
    "type": "object",
    "required": ["offer_id", "channel", "care"],
    "properties": {
        "offer_id": {"type": "string", "format": "uuid"},
        "channel": {"$ref": "#/$defs/Channel"},
        "only": {"type": "string", "const": "one"},
        "care": {"$ref": "#/$defs/Care"},
        "rank": {"type": "integer", "minimum": 1, "default": 1},
        "note_id": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}], "default": None},
    },
    "$defs": {
        "Channel": {"type": "string", "enum": ["webhook", "phone"]},
        "Care": {
            "type": "object",
            "required": ["visits"],
            "properties": {"visits": {"type": "array", "items": {"$ref": "#/$defs/Visit"}, "maxItems": 50}},
        },
        "Visit": {"type": "object", "required": ["minutes"], "properties": {"minutes": {"type": "integer"}}},
    },
}


def _change(change: str) -> dict[str, Any]:
    """Returns the published schema after one statement: `s` is the schema, `p` its properties, `d` its definitions."""
    schema = deepcopy(PUBLISHED)
    exec(change, {"s": schema, "p": schema["properties"], "d": schema["$defs"]})
    return schema


BREAKING = {
    "a required field is removed": ("del p['offer_id']; s['required'].remove('offer_id')", "offer_id", "put it back"),
    "an optional field is removed": ("del p['rank']", "rank", "removed or renamed"),
    "a field is renamed": ("p['id'] = p.pop('offer_id'); s['required'][0] = 'id'", "offer_id", "renamed"),
    "a required field is added": ("p['new'] = {'type': 'string'}; s['required'].append('new')", "new", "default"),
    "an optional field becomes required": ("s['required'].append('rank')", "rank", "is required now"),
    "a required field becomes optional": ("s['required'].remove('channel')", "channel", "is no longer required"),
    "a type changes": ("p['offer_id']['type'] = 'integer'", "offer_id", "type changed from string to integer"),
    "a format changes": ("p['offer_id']['format'] = 'date'", "offer_id", "format changed"),
    "a format is removed": ("del p['offer_id']['format']", "offer_id", "to none"),
    "a pattern is added": ("p['offer_id']['pattern'] = 'x'", "offer_id", "pattern changed from none"),
    "an enum value is removed": ("d['Channel']['enum'].remove('phone')", "channel", "'phone' was removed"),
    "an enum value is added": ("d['Channel']['enum'].append('fax')", "channel", "'fax' was added"),
    "the only enum value changes": ("p['only']['const'] = 'two'", "only", "'two' was added"),
    "an enum becomes open text": ("del d['Channel']['enum']", "channel", "became open"),
    "open text is closed": ("p['offer_id']['enum'] = ['a']", "offer_id", "open text an enum"),
    "a limit is narrowed": ("p['rank']['minimum'] = 2", "rank", "minimum changed from 1 to 2"),
    "a limit is widened": ("p['rank']['minimum'] = 0", "rank", "minimum changed"),
    "a default changes": ("p['rank']['default'] = 2", "rank", "default changed"),
    "a field may be null": ("p['rank'] = {'anyOf': [p['rank'], {'type': 'null'}]}", "rank", "alternatives"),
    "a field may not be null any more": ("p['note_id']['anyOf'].pop()", "note_id", "alternatives"),
    "an alternative changes": ("p['note_id']['anyOf'][0]['type'] = 'integer'", "note_id", "type changed"),
    "something deep inside a list changes": ("d['Visit']['properties'].clear()", "care.visits[].minutes", "removed"),
    "the limit of a list changes": ("d['Care']['properties']['visits']['maxItems'] = 60", "care.visits", "maxItems"),
    "a list becomes something else": ("d['Care']['properties']['visits'] = {'type': 'string'}", "care.visits", "type"),
    "unknown fields are forbidden": ("s['additionalProperties'] = False", "", "additionalProperties"),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKING)
def test_a_change_breaks_readers_if(case: str) -> None:
    change, path, text = BREAKING[case]
    found = compare_schemas("OfferMade.v1.json", PUBLISHED, _change(change))
    assert any(breakage.path == path and text in str(breakage) for breakage in found), found


COMPATIBLE = {
    "nothing changes": "pass",
    "an optional field is added": "p['new'] = {'type': 'string', 'default': 'x'}",
    "an optional field is added deep inside": "d['Visit']['properties']['new'] = {'type': 'string', 'default': 'x'}",
    "texts change": "s['title'] = 'Offer'; p['rank']['description'] = 'place on the list'",
    "enum values are reordered": "d['Channel']['enum'].reverse()",
    "required fields are reordered": "s['required'].reverse()",
    "a definition is moved or renamed": "d['Means'] = d.pop('Channel'); p['channel'] = {'$ref': '#/$defs/Means'}",
    "a reference is replaced by its content": "p['channel'] = d.pop('Channel')",
}


@pytest.mark.parametrize("case", COMPATIBLE)
def test_a_change_is_compatible_if(case: str) -> None:
    assert compare_schemas("OfferMade.v1.json", PUBLISHED, _change(COMPATIBLE[case])) == ()


def test_the_removal_of_a_published_event_is_a_breakage() -> None:
    (gone,) = find_breakages({"OfferMade.v1.json": PUBLISHED}, {})
    assert (gone.schema, gone.remedy) == ("OfferMade.v1.json", "put it back")


def test_a_new_event_is_no_breakage() -> None:
    assert find_breakages({}, {"OfferMade.v1.json": PUBLISHED}) == ()


def test_the_text_of_a_breakage_has_the_schema_path_change_affected_readers_and_remedy() -> None:
    breakage = Breakage("OfferMade.v1.json", "rank", "type changed", "old readers fail")
    assert str(breakage) == (
        "OfferMade.v1.json rank: type changed: old readers fail; "
        "leave this version as it is and add a new version of the event in addition"
    )
