from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from hypothesis.strategies import SearchStrategy
from requests import Session

from schemathesis import openapi as openapi

class GenerationMode(StrEnum):
    POSITIVE = "positive"
    NEGATIVE = "negative"

class CheckContext: ...

class Response:
    status_code: int
    headers: Mapping[str, list[str]]
    def json(self) -> Any: ...  # what the service answers

class Case:
    path_parameters: Mapping[str, object]
    def call(self, base_url: str, session: Session, headers: Mapping[str, str]) -> Response: ...
    def validate_response(self, response: Response, checks: Sequence[Check]) -> None: ...

Check = Callable[[CheckContext, Response, Case], bool | None]

class APIOperation:
    label: str
    def as_strategy(self, generation_mode: GenerationMode) -> SearchStrategy[Case]: ...
