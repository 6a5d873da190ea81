"""Reads what Grafana Tempo answers: the traces that a search found, and the spans of one trace.

Tempo's message for a trace has the same fields on the wire as OTLP's request to export traces.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devstack.telemetry.otlp import InvalidOtlpMessage, parse_spans
from devstack.telemetry.spans import PACKAGE, Span

SEARCH_PATH: Final = "/api/search"
TRACE_PATH: Final = "/api/traces"
PROTOBUF: Final = "application/protobuf"
"""Sent as Accept; without it Tempo answers with JSON."""


class UnexpectedAnswer(ValueError):
    """The address answers with something that Tempo does not answer."""


class _FoundTrace(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    trace_id: str = Field(alias="traceID", pattern="^[0-9a-fA-F]{1,32}$")


class _SearchAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    traces: tuple[_FoundTrace, ...] = ()


def build_search(package_id: str, *, since: int, until: int, limit: int) -> dict[str, str]:
    """The parameters that find the traces with a span of the package; instants in seconds since 1970."""
    query = f'{{ span.{PACKAGE} = "{package_id}" }}'
    return {"q": query, "start": str(since), "end": str(until), "limit": str(limit), "spss": "1"}


def parse_search(body: bytes) -> list[str]:
    """The ids of the traces that were found. Raises UnexpectedAnswer."""
    try:
        answer = _SearchAnswer.model_validate_json(body)
    except ValidationError:
        message = "the search was not answered as Tempo does"
        raise UnexpectedAnswer(message) from None
    return [trace.trace_id for trace in answer.traces]


def parse_trace(body: bytes) -> list[Span]:
    """The spans of one trace, from protobuf. Raises UnexpectedAnswer."""
    try:
        return parse_spans(body)
    except InvalidOtlpMessage:
        message = "the trace was not answered as Tempo does"
        raise UnexpectedAnswer(message) from None
