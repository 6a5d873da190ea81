"""Whatever an OpenAPI page allows or forbids is asked of its service, and the answers are held against the page."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema.protocols import Validator
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err, Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PAGE: Final = "text/html"
"""For people, and only where the OpenAPI page declares it; every other error is a problem."""
SOME: Final = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

Known = Mapping[str, Sequence[object]]
"""Values of path parameters that are about something that is there: `{"offer_id": [...]}`."""


async def check_documented_operations(
    url: str, *, tokens: Sequence[str], known: Known, problem_schema: Validator
) -> None:
    """Sends every operation of the service at `url` requests that its page allows, and some that it forbids.

    Each bears one of `tokens`, and about half are about something `known`. Raises an ExceptionGroup with one error for
    each operation that fails, answers what its page does not tell, says an error that is no problem by RFC 9457, or
    lets none of the tokens in.
    """
    # The service runs in this very loop: whoever calls it by blocking has to stand beside it.
    await asyncio.to_thread(_ask_all, url, tokens, known, problem_schema)


def _ask_all(url: str, tokens: Sequence[str], known: Known, problem_schema: Validator) -> None:
    wrong: list[Exception] = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy has business here
        caller = _Caller(url, session, tokens, known, problem_schema)
        for operation in caller.list_operations():
            try:
                caller.ask(operation)
            except Exception as error:  # noqa: BLE001  all that is wrong is told at once
                error.add_note(f"asked: {operation.label}")
                wrong.append(error)
    if wrong:
        message = f"{len(wrong)} operations do not answer as the page tells"
        raise ExceptionGroup(message, wrong)


@dataclass(frozen=True)
class _Caller:
    url: str
    session: requests.Session
    tokens: Sequence[str]
    known: Known
    problem_schema: Validator

    def list_operations(self) -> list[APIOperation]:
        page = schemathesis.openapi.from_dict(self.session.get(f"{self.url}/openapi.json").json())
        return [_read(found) for found in page.get_all_operations()]

    def ask(self, operation: APIOperation) -> None:
        statuses = {status for mode in GenerationMode for status in self._collect_statuses(operation, mode)}
        assert statuses - {401, 403}, "no token is let in: all of this was tried at the door only"

    def _collect_statuses(self, operation: APIOperation, mode: GenerationMode) -> set[int]:
        statuses: set[int] = set()
        values = {name: st.sampled_from(values) for name, values in self.known.items()}
        real = st.fixed_dictionaries(values) | st.fixed_dictionaries({}, optional=values)

        @SOME
        @given(operation.as_strategy(generation_mode=mode), st.sampled_from(self.tokens), real)
        def any_request(case: Case, token: str, about: Mapping[str, object]) -> None:
            replaced = {name: str(about[name]) for name in case.path_parameters if name in about}
            case.path_parameters = {**case.path_parameters, **replaced}
            statuses.add(self._answer(case, token))

        any_request()
        return statuses

    def _answer(self, case: Case, token: str) -> int:
        answer = case.call(self.url, self.session, {"Authorization": f"Bearer {token}"})
        case.validate_response(answer, CHECKS)
        if answer.status_code >= 400 and not answer.headers["content-type"][0].startswith(PAGE):
            self.problem_schema.validate(answer.json())
        return answer.status_code


def _read(found: Ok[APIOperation] | Err[Exception]) -> APIOperation:
    if isinstance(found, Err):
        raise found.err()
    return found.ok()
