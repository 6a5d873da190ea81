"""Types of text that only referrals have: postcodes and NHS numbers, which the domain judges."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from service_runtime.http.text_rules import TextRule


def _fold_width(text: str) -> str:
    """Returns ASCII letters and digits for those of full width."""
    return unicodedata.normalize("NFKC", text)


PostcodeText = Annotated[
    str, StringConstraints(max_length=16), BeforeValidator(TextRule(16)), AfterValidator(_fold_width)
]
NhsNumberText = Annotated[
    str, StringConstraints(max_length=20), BeforeValidator(TextRule(20)), AfterValidator(_fold_width)
]
