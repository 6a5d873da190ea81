"""Parses Prometheus' text format, as the services serve it under /metrics, into samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from devstack.telemetry.spans import MetricSample

PROCESS_INFO: Final = "calloff_process_info"
"""The metric whose labels name the host and the process that answers."""
_DISTRIBUTIONS: Final = {"histogram", "summary"}
_SUM, _COUNT, _CREATED, _BUCKET = "_sum", "_count", "_created", "_bucket"


class InvalidExposition(ValueError):
    """The text is not in Prometheus' format."""


@dataclass(frozen=True)
class ProcessMetrics:
    """The metrics of one process, and its name where it gives one."""

    process: str
    samples: tuple[MetricSample, ...]


def parse_exposition(text: str, service: str) -> ProcessMetrics:
    """Raises InvalidExposition."""
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError as error:
        message = "the text is not in Prometheus' format"
        raise InvalidExposition(message) from error
    samples = [sample for family in families for sample in _convert_family(family, service)]
    process = next((_describe_process(each) for each in samples if each.name == PROCESS_INFO), "")
    return ProcessMetrics(process, tuple(each for each in samples if each.name != PROCESS_INFO))


def _describe_process(sample: MetricSample) -> str:
    labels = dict(sample.labels)
    return f"{labels.get('host', '')}:{labels.get('pid', '')}"


def _convert_family(family: Metric, service: str) -> Iterator[MetricSample]:
    """Of a histogram, sum and number for each combination of labels; of others, each value."""
    if family.type not in _DISTRIBUTIONS:
        for sample in family.samples:
            if not sample.name.endswith(_CREATED):
                yield MetricSample(service, sample.name, _sort_labels(sample.labels), sample.value)
        return
    counts = {_sort_labels(each.labels): each.value for each in family.samples if each.name == f"{family.name}{_COUNT}"}
    for sample in family.samples:
        if sample.name == f"{family.name}{_SUM}":
            labels = _sort_labels(sample.labels)
            yield MetricSample(service, family.name, labels, sample.value, int(counts.get(labels, 0)))


def _sort_labels(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))
