"""Rules for mailboxes and telephone numbers: well-kept libraries judge them, and errors never repeat them."""

import re
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from service_runtime.http.text_rules import normalise_text

MAX_MAILBOX: Final = 254
MAX_PHONE_NUMBER: Final = 40
COUNTRY: Final = "GB"
"""The country of telephone numbers that have no country code."""

_EXTENSION: Final = re.compile(r"[\s,;]*(?:ext(?:ension|n)?\.?|x|#)[\s=]*[0-9]{1,9}$", re.IGNORECASE)
_QUOTATION: Final = re.compile(r"\s*[:(].*", re.DOTALL)


def parse_mailbox(value: object) -> str:
    """Returns the address as mail servers read it: a domain in other scripts becomes its ASCII form (`xn--…`).

    The domain is not looked up. Raises ValueError for a display name, and for an address that needs SMTPUTF8, which
    not every mail server on the way supports.
    """
    text = normalise_text(value, max_length=MAX_MAILBOX)
    try:
        mailbox = validate_email(text, check_deliverability=False, strict=True).ascii_email
    except EmailNotValidError as error:
        # What follows a colon or a bracket can quote the address.
        message = f"is not a mailbox: {_QUOTATION.sub('', str(error)).rstrip('.')}; write it as office@provider.example"
        raise ValueError(message) from None
    if mailbox is None:
        message = "has letters before the @-sign that not every mail server accepts; give an address with A to Z there"
        raise ValueError(message)
    return mailbox


def parse_phone_number(value: object) -> str:
    """Returns the number as it was typed, normalised; an extension may follow it.

    The number has a possible length for its country. Whether it is assigned is not checked: numbers that are reserved
    for drama and tests are accepted.
    """
    text = normalise_text(value, max_length=MAX_PHONE_NUMBER)
    if len(text) > MAX_PHONE_NUMBER or not _is_phone_number(text):
        message = "is not a telephone number; write it as 01632 960000, +44 1632 960000 or 01632 960000 ext 12"
        raise ValueError(message)
    return text


def _is_phone_number(text: str) -> bool:
    # phonenumbers reads letters as the digits of a telephone's keys.
    if any(character.isalpha() for character in _EXTENSION.sub("", text)):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, COUNTRY))
    except phonenumbers.NumberParseException:
        return False
