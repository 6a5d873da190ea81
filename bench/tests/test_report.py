"""The output of the measurements: the shape of the last line, without figures that were not measured."""

import json
from typing import Final

import pytest

from bench.backlog import Backlog
from bench.calibration import Calibration
from bench.chains import Chains, ChainStatements
from bench.figures import compute_count
from bench.idle import IdleUse
from bench.latency import Latency, RateLatency
from bench.load import MachineLoad
from bench.percentiles import Percentiles
from bench.recovery import Recovery
from bench.relay import RelayFigures
from bench.report import MeasurementOutcome, describe_calm, list_calibrations, list_failed, render_last_line
from bench.timers import TimerLag
from bench.webhooks import WebhookFigures

SPREAD: Final = Percentiles.from_samples([1.0, 2.0, 3.0])
CALM: Final = Calibration((27.0, 28.0, 40.0), other_cores=0.02)
DISTURBED: Final = Calibration((27.0, 27.5, 28.0), other_cores=0.6)


def a_latency(rate: float) -> RateLatency:
    return RateLatency(SPREAD, SPREAD, Backlog(rate, unplaced=0, delay=0.1, growth=0.5))


EVERYTHING: Final = (
    MeasurementOutcome("latency", 0.5, Latency(a_latency(2.0), a_latency(20.0), a_latency(40.0))),
    MeasurementOutcome("idle", 0.5, IdleUse({"kafka": 1.5, "sourcing": 0.25})),
    MeasurementOutcome("relay", 0.5, RelayFigures(12_000.4, 30_000, 900)),
    MeasurementOutcome("webhooks", 0.5, WebhookFigures(1_800.2, 5_000)),
    MeasurementOutcome("timers", 0.5, TimerLag(SPREAD)),
    MeasurementOutcome(
        "chains", 0.5, Chains(81.5, SPREAD, 5.1, 22.5, {"sourcing": 9.1}, ChainStatements(6.2, 40.5)), calibration=CALM
    ),
    MeasurementOutcome("recovery", 0.5, Recovery(2.5, 3.5, 4.5), calibration=DISTURBED),
)


def test_the_last_line_has_every_figure_under_its_name() -> None:
    percentiles = {"p50": 2.0, "p99": 3.0}
    assert json.loads(render_last_line(EVERYTHING)) == {
        "referral_to_webhook_ms": {**percentiles, "rate": 20},
        "commit_to_ack_ms": percentiles,
        "referral_to_webhook_at_2_ms": percentiles,
        "referral_to_webhook_at_40_ms": {**percentiles, "sustained": True, "unplaced": 0, "queue_growth": 0.5},
        "idle_core_percent": 1.75,
        "idle_core_percent_by_process": {"kafka": 1.5, "sourcing": 0.25},
        "relay_events_per_s": 12_000,
        "webhooks_per_s": 1_800,
        "timer_lag_ms": percentiles,
        "chains_per_s": 81.5,
        "transactions_per_chain": 5.1,
        "statements_per_chain": 40.5,
        "statements_sent_per_chain": 6.2,
        "cpu_ms_per_chain": 22.5,
        "cpu_ms_per_chain_by_process": {"sourcing": 9.1},
        "recovery_s": {"service": 2.5, "postgres": 3.5, "kafka": 4.5},
        "calm": False,
        "calibration": {
            "chains": {"loop_ms": [27.0, 40.0], "other_cores": 0.02, "calm": True},
            "recovery": {"loop_ms": [27.0, 28.0], "other_cores": 0.6, "calm": False},
        },
    }


def test_what_could_not_be_measured_is_named_and_not_invented() -> None:
    outcomes = [EVERYTHING[2], MeasurementOutcome("webhooks", 0.5, None, "4 of 5 came")]
    assert list_failed(outcomes) == ["webhooks"]
    assert list(json.loads(render_last_line(outcomes))) == ["relay_events_per_s", "calm", "calibration"]
    assert outcomes[1].to_lines()[0].figure == "not measured: 4 of 5 came"


def test_a_figure_below_its_goal_is_marked() -> None:
    reached = {line.title: line.is_reached for outcome in EVERYTHING for line in outcome.to_lines()}
    assert all(reached.values())
    assert not WebhookFigures(1_499.9, 5_000).to_lines()[0].is_reached


def test_a_figure_between_its_goal_and_the_acceptable_limit_is_marked_as_such() -> None:
    results = {
        speed: Chains(speed, SPREAD, 5.0, 22.5, {}).to_lines()[0].describe_result()
        for speed in (75.0, 74.9, 50.0, 49.9)
    }
    assert results == {75.0: "", 74.9: "acceptable", 50.0: "acceptable", 49.9: "short of it"}


def test_statements_that_could_not_be_counted_are_not_zero() -> None:
    chains = Chains(80.0, SPREAD, 5.0, 22.5, {})
    assert chains.to_numbers()["statements_per_chain"] is None
    assert chains.to_lines()[-1].figure == "not counted: PostgreSQL has no pg_stat_statements"


def test_measurements_on_a_disturbed_machine_are_named() -> None:
    assert describe_calm(list_calibrations(EVERYTHING)) == (
        "The machine was not calm enough to believe these figures: recovery: other processes used 0.60 cores."
    )
    assert describe_calm({"chains": CALM}) == "The machine was calm."


def test_a_load_that_was_not_sustained_is_short_of_its_goal() -> None:
    held, high = a_latency(40.0), RateLatency(SPREAD, SPREAD, Backlog(40.0, unplaced=3, delay=0.1, growth=0.0))
    line = Latency(held, held, high).to_lines()[2]
    assert (line.figure, line.describe_result()) == (f"{SPREAD}; not sustained: 3 were not placed", "short of it")


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
