"""What the tests of dashboards and alerts read from an expression."""

import pytest

from testkit.metrics_pages import find_missing
from testkit.promql import Selector, insert_variables, list_selectors


def test_each_metric_is_listed_with_its_labels_and_innermost_aggregation() -> None:
    expression = (
        'sum by (council) (max by (council, stage) (open{status="held"})) > 0 or -absent(up{job="calloff/audit"})'
    )
    assert list_selectors(expression) == [
        Selector("open", frozenset({"council", "stage", "status"}), "max"),
        Selector("up", frozenset(), None),
    ]


def test_the_range_of_a_rate_and_the_variables_of_grafana_are_understood() -> None:
    expression = 'histogram_quantile(0.9, sum by (le) (rate(took_bucket{job=~"calloff/($service)"}[$__rate_interval])))'
    assert list_selectors(expression) == [Selector("took_bucket", frozenset({"le"}), "sum")]
    assert insert_variables("x[${__range}]") == "x[6h]"


@pytest.mark.parametrize("wrong", ["sum(", "rate(counter)", "a b"])
def test_what_is_not_promql_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list_selectors(wrong)


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(KeyError):
        list_selectors('up{job="$cluster"}')


def test_a_stack_without_metrics_lacks_all_that_the_expressions_use() -> None:
    missing = find_missing([])
    assert "OutboxNotRelayed: calloff_outbox_age_seconds has no series" in missing
    assert len(missing) > 100


def test_a_metric_without_a_label_that_an_expression_uses_is_missing() -> None:
    page = 'calloff_consumer_lag{topic="homecare.packages.v1"} 3\n'
    missing = [each for each in find_missing([page]) if "calloff_consumer_lag" in each]
    assert "ConsumerLagHigh: calloff_consumer_lag has no group" in missing
    assert not any("has no topic" in each for each in missing)
