"""Reads PromQL expressions: which metrics they select, by which labels, and what aggregates them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

VARIABLES: Final = {
    "__rate_interval": "2m",
    "__range": "6h",
    "service": ".*",
    "instance": ".*",
    "council": ".*",
}
"""Values for the variables of Grafana, as it puts them in when everything is chosen."""
TARGET_LABELS: Final = frozenset({"job", "instance"})
"""The labels that Prometheus adds to every series."""


@dataclass(frozen=True)
class Selector:
    """A metric in an expression, with the labels that it must have."""

    metric: str
    labels: frozenset[str]
    aggregation: str | None
    """The innermost aggregation around it: max, sum, …"""


def insert_variables(expression: str) -> str:
    """Replaces the variables of Grafana. Raises KeyError for an unknown one."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: VARIABLES[match[1]], expression)


def list_selectors(expression: str) -> list[Selector]:
    """Lists the metrics of an expression. Raises ValueError if it is not PromQL."""
    return list(_walk(promql_parser.parse(insert_variables(expression)), frozenset(), None))


# The parser's classes have attributes of no common type, hence Any.
def _walk(node: Any, labels: frozenset[str], aggregation: str | None) -> Iterator[Selector]:
    if isinstance(node, VectorSelector):
        used = {matcher.name for matcher in node.matchers.matchers}
        yield Selector(str(node.name), (labels | used) - TARGET_LABELS, aggregation)
    elif isinstance(node, MatrixSelector):
        yield from _walk(node.vector_selector, labels, aggregation)
    elif isinstance(node, AggregateExpr):
        grouped = frozenset(node.modifier.labels) if node.modifier is not None else frozenset[str]()
        yield from _walk(node.expr, labels | grouped, str(node.op))
    elif isinstance(node, BinaryExpr):
        for side in (node.lhs, node.rhs):
            yield from _walk(side, labels, aggregation)
    elif isinstance(node, Call):
        for argument in node.args:
            yield from _walk(argument, labels, aggregation)
    elif isinstance(node, (ParenExpr, SubqueryExpr, UnaryExpr)):
        yield from _walk(node.expr, labels, aggregation)
