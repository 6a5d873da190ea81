"""Tests a service against its OpenAPI description: sends generated requests and validates the responses."""

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
HTML: Final = "text/html"
"""The content type of pages for people, which an operation may declare for errors. All other errors are problems."""
HYPOTHESIS_SETTINGS: Final = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

PathValues = Mapping[str, Sequence[object]]
"""Ids of existing resources by path parameter: `{"offer_id": [...]}`."""


async def check_documented_operations(
    url: str, *, tokens: Sequence[str], path_values: PathValues, problem_schema: Validator
) -> None:
    """Sends valid and invalid requests to every operation of the service at `url`, and validates the responses.

    Each request has one of `tokens`; about half of them use `path_values`. Raises an ExceptionGroup with one error for
    each operation that returns a server error, a response that its description does not declare, or an error that is
    no problem response by RFC 9457, and for each operation that accepts none of the tokens.
    """
    # The service runs in this event loop, so the blocking client needs a thread.
    await asyncio.to_thread(_check_operations, url, tokens, path_values, problem_schema)


def _check_operations(url: str, tokens: Sequence[str], path_values: PathValues, problem_schema: Validator) -> None:
    errors: list[Exception] = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        checker = _OperationChecker(url, session, tokens, path_values, problem_schema)
        for operation in checker.list_operations():
            try:
                checker.check(operation)
            except Exception as error:  # noqa: BLE001  all errors are raised together
                error.add_note(f"operation: {operation.label}")
                errors.append(error)
    if errors:
        message = f"{len(errors)} operations do not conform to the OpenAPI description"
        raise ExceptionGroup(message, errors)


@dataclass(frozen=True)
class _OperationChecker:
    """Sends generated requests to the operations of one service and validates the responses."""

    url: str
    session: requests.Session
    tokens: Sequence[str]
    path_values: PathValues
    problem_schema: Validator

    def list_operations(self) -> list[APIOperation]:
        page = schemathesis.openapi.from_dict(self.session.get(f"{self.url}/openapi.json").json())
        return [_unwrap(found) for found in page.get_all_operations()]

    def check(self, operation: APIOperation) -> None:
        """Raises an error for a response that does not conform, or if no token is accepted."""
        statuses = {status for mode in GenerationMode for status in self._collect_statuses(operation, mode)}
        assert statuses - {401, 403}, "no token was accepted, so only authorization was tested"

    def _collect_statuses(self, operation: APIOperation, mode: GenerationMode) -> set[int]:
        statuses: set[int] = set()
        values = {name: st.sampled_from(values) for name, values in self.path_values.items()}
        real = st.fixed_dictionaries(values) | st.fixed_dictionaries({}, optional=values)

        @HYPOTHESIS_SETTINGS
        @given(operation.as_strategy(generation_mode=mode), st.sampled_from(self.tokens), real)
        def check_request(case: Case, token: str, ids: Mapping[str, object]) -> None:
            replaced = {name: str(ids[name]) for name in case.path_parameters if name in ids}
            case.path_parameters = {**case.path_parameters, **replaced}
            statuses.add(self._send_case(case, token))

        check_request()
        return statuses

    def _send_case(self, case: Case, token: str) -> int:
        response = case.call(self.url, self.session, {"Authorization": f"Bearer {token}"})
        case.validate_response(response, CHECKS)
        if response.status_code >= 400 and not response.headers["content-type"][0].startswith(HTML):
            self.problem_schema.validate(response.json())
        return response.status_code


def _unwrap(found: Ok[APIOperation] | Err[Exception]) -> APIOperation:
    if isinstance(found, Err):
        raise found.err()
    return found.ok()
