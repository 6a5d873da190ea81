"""Types of text that only referrals have: telephone numbers, and postcodes and NHS numbers, which the domain judges."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from service_runtime.http.text_rules import TextRule


def _fold_width(text: str) -> str:
    """Returns ASCII letters and digits for those of full width."""
    return unicodedata.normalize("NFKC", text)


ContactNumber = Annotated[
    str, StringConstraints(min_length=3, max_length=40), BeforeValidator(TextRule(40, min_length=3))
]
"""A person's telephone number as the council's system holds it, such as `01632 960000 (daughter, evenings)`.

A referral is not refused for it: a person waits, and those who telephone read it.
"""
PostcodeText = Annotated[
    str, StringConstraints(max_length=16), BeforeValidator(TextRule(16)), AfterValidator(_fold_width)
]
NhsNumberText = Annotated[
    str, StringConstraints(max_length=20), BeforeValidator(TextRule(20)), AfterValidator(_fold_width)
]
