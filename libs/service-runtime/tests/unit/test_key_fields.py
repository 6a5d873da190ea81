"""Keys of a definition's words in request bodies: one form for all of them; the error states it in words."""

from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from service_runtime.http.text_fields import (
    BandName,
    GroupName,
    ItemName,
    LotName,
    NeedName,
    ReasonName,
    RouteName,
    ServiceTypeName,
    TierName,
    UnitName,
)

KINDS: Final[tuple[Any, ...]] = (  # annotated types
    LotName,
    TierName,
    ServiceTypeName,
    UnitName,
    ItemName,
    RouteName,
    NeedName,
    ReasonName,
    GroupName,
    BandName,
)
FORM: Final = "must be a key: 1 to 40 of a to z, 0 to 9 and hyphens, beginning with a letter or digit"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["personal-care", "1a", "a", "0", "a" * 40, "no--capacity-"])
def test_a_key_is_kept_as_it_is(kind: Any, key: str) -> None:  # an annotated type
    assert TypeAdapter[object](kind).validate_python(key) == key


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["personal care", "Personal-care", "-care", "a_b", "a" * 41, "", "é"])
def test_another_form_is_refused_in_words(kind: Any, value: str) -> None:  # an annotated type
    assert FORM in refuse(kind, value)


@pytest.mark.parametrize("value", [1, True, None, ["tier-1"], b"tier-1"])
def test_a_key_is_text(value: object) -> None:
    assert "must be text in quotation marks" in refuse(TierName, value)


def test_spaces_around_a_key_are_dropped() -> None:
    assert TypeAdapter[object](TierName).validate_python("\u00a0tier-1 ") == "tier-1"


def refuse(kind: Any, value: object) -> str:  # an annotated type
    """Returns the words with which the type refuses the value."""
    with pytest.raises(ValidationError) as error:
        TypeAdapter[object](kind).validate_python(value)
    return error.value.errors()[0]["msg"]
