"""Mailboxes and telephone numbers as people type them; errors never repeat them."""

import pytest

from service_runtime.http.contact_rules import parse_mailbox, parse_phone_number


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("o'lastname@alder.example", "o'lastname@alder.example"),
        ("a&b@alder.example", "a&b@alder.example"),
        ("  office@alder.example\u00a0", "office@alder.example"),
        ("\u200boffice@alder.example\r\n", "office@alder.example"),
        ("Office.Two+offers@Alder.Example", "Office.Two+offers@alder.example"),
        ("office@bücher.example", "office@xn--bcher-kva.example"),
        ("office@bu\u0308cher.example", "office@xn--bcher-kva.example"),
        ("office@xn--bcher-kva.example", "office@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_is_stored_as_mail_servers_read_it(typed: str, stored: str) -> None:
    assert parse_mailbox(typed) == stored


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("two-dots..in@alder.example", "two periods in a row"),
        ("Zzyzx <zzyzx@alder.example>", "A display name and angle brackets"),
        ("<zzyzx@alder.example>", "A display name and angle brackets"),
        ("zzyzx", "an @-sign"),
        ("zzyzx@alder", "It should have a period"),
        ("zzyzx@alder.local", "special-use or reserved name"),
        ("zzyzx@[127.0.0.1]", "bracketed IP address"),
        ("zz yzx@alder.example", "invalid characters before the @-sign"),
        ('"zz yzx"@alder.example', "Quoting"),
        ("zzyzx@alder.example\nBcc: zzyzx@birch.example", "invalid characters"),
        (f"{'z' * 65}@alder.example", "too long before the @-sign"),
        (f"zzyzx@{'b' * 250}.example", "longer than 254 characters|too long"),
        ("zzyzxü@alder.example", "letters before the @-sign that not every mail server accepts"),
        ("zzyzx\u202e@alder.example", "a text direction control"),
        ("zzyzx@\u0378\u0378.example", "an unassigned character"),
        ("", "is not a mailbox"),
    ],
)
def test_an_address_that_is_no_mailbox_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        parse_mailbox(typed)
    assert "zzyzx" not in str(error.value).casefold()


@pytest.mark.parametrize("value", [7, None, True, ["a@alder.example"]])
def test_a_mailbox_and_a_telephone_number_are_text(value: object) -> None:
    for parse in (parse_mailbox, parse_phone_number):
        with pytest.raises(ValueError, match="must be text"):
            parse(value)


@pytest.mark.parametrize(
    "typed",
    [
        "(01632) 960000",
        "01632 960000 ext 12",
        "01632 960000 Ext. 12",
        "01632 960000 extension 12",
        "01632 960000 x12",
        "01632 960000 #12",
        "01632\u2013960000",
        "01632.960.000",
        "+44 (0)1632 960000",
        "0044 1632 960000",
        "07700 900123",
        "+1 202 555 0100",
    ],
)
def test_a_telephone_number_is_kept_as_it_was_typed(typed: str) -> None:
    assert parse_phone_number(typed) == typed


def test_a_telephone_number_is_normalised_like_other_text() -> None:
    assert parse_phone_number("\u200e01632\u00a0960000\u2009ext\u00a012 ") == "01632 960000 ext 12"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Zzyzx",
        "0800 FLOWERS",
        "01632 96000a",
        "Tel 01632 960000",
        "01632 960000 / 01632 960001",
        "999",
        "12",
        "1" * 40,
        "+999 123456789",
        "01632 960000 (daughter)",
        "ext 12",
        "x" * 40,
    ],
)
def test_what_cannot_be_dialled_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a telephone number; write it as") as error:
        parse_phone_number(typed)
    assert "Zzyzx" not in str(error.value)
