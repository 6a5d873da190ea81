"""The output of the measurements: the shape of the last line, without figures that were not measured."""

import json
from typing import Final

import pytest

from bench.chains import Chains
from bench.figures import compute_count
from bench.latency import Latency
from bench.load import MachineLoad
from bench.percentiles import Percentiles
from bench.recovery import Recovery
from bench.relay import RelayFigures
from bench.report import MeasurementOutcome, list_failed, render_last_line
from bench.timers import TimerLag
from bench.webhooks import WebhookFigures

SPREAD: Final = Percentiles.from_samples([1.0, 2.0, 3.0])
EVERYTHING: Final = (
    MeasurementOutcome("latency", 0.5, Latency(SPREAD, SPREAD)),
    MeasurementOutcome("relay", 0.5, RelayFigures(12_000.4, 30_000, 900)),
    MeasurementOutcome("webhooks", 0.5, WebhookFigures(1_800.2, 5_000)),
    MeasurementOutcome("timers", 0.5, TimerLag(SPREAD)),
    MeasurementOutcome("chains", 0.5, Chains(71.5, SPREAD, 30.1, 22.5, {"sourcing": 9.1})),
    MeasurementOutcome("recovery", 0.5, Recovery(2.5, 3.5, 4.5)),
)


def test_the_last_line_has_every_figure_under_its_name() -> None:
    percentiles = {"p50": 2.0, "p99": 3.0}
    assert json.loads(render_last_line(EVERYTHING)) == {
        "referral_to_webhook_ms": {**percentiles, "rate": 20},
        "commit_to_ack_ms": percentiles,
        "relay_events_per_s": 12_000,
        "webhooks_per_s": 1_800,
        "timer_lag_ms": percentiles,
        "chains_per_s": 71.5,
        "transactions_per_chain": 30.1,
        "cpu_ms_per_chain": 22.5,
        "recovery_s": {"service": 2.5, "postgres": 3.5, "kafka": 4.5},
    }


def test_what_could_not_be_measured_is_named_and_not_invented() -> None:
    outcomes = [EVERYTHING[1], MeasurementOutcome("webhooks", 0.5, None, "4 of 5 came")]
    assert list_failed(outcomes) == ["webhooks"]
    assert list(json.loads(render_last_line(outcomes))) == ["relay_events_per_s"]
    assert outcomes[1].to_lines()[0].figure == "not measured: 4 of 5 came"


def test_a_figure_below_its_goal_is_marked() -> None:
    reached = {line.title: line.is_reached for outcome in EVERYTHING for line in outcome.to_lines()}
    assert all(reached.values())
    assert not WebhookFigures(1_499.9, 5_000).to_lines()[0].is_reached


def test_percentiles_are_measured_values() -> None:
    assert Percentiles.from_samples(range(100, 0, -1)) == Percentiles(p50=51, p99=100, count=100)
    assert Percentiles.from_samples([7.0]) == Percentiles(7.0, 7.0, 1)


def test_percentiles_need_a_measurement() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Percentiles.from_samples([])


def test_a_share_of_a_count_is_at_least_one() -> None:
    assert (compute_count(300, 1.0), compute_count(300, 0.1), compute_count(300, 0.001)) == (300, 30, 2)


def test_the_load_of_the_machine_is_reported_with_the_figures() -> None:
    load = MachineLoad.measure()
    assert load.cores >= 1
    assert load.loop_ms > 0
