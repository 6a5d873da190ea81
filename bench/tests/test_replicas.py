"""Measurements with several processes of each service: the table's ratios and the last line."""

import json
from typing import Final

from bench.backlog import Backlog
from bench.calibration import Calibration
from bench.chains import Chains
from bench.latency import RateLatency
from bench.percentiles import Percentiles
from bench.replicas import ReplicaFigures, describe_ratios, render_last_line

CALM: Final = Calibration((27.0, 28.0), other_cores=0.0)


def figures_of(replicas: int, *, slower: float) -> ReplicaFigures:
    spread = Percentiles.from_samples([10.0 * slower, 20.0 * slower])
    backlog = Backlog(20.0, unplaced=0, delay=0.0, growth=0.0)
    return ReplicaFigures(
        replicas, RateLatency(spread, spread, backlog), Chains(60.0 / slower, spread, 30.0, 20.0 * slower, {}), CALM
    )


def test_several_processes_are_compared_with_one() -> None:
    described = describe_ratios([figures_of(1, slower=1.0), figures_of(2, slower=1.5)])
    assert described.startswith("2 processes of each service beside 1, as ratios: webhook p50 1.50, webhook p99 1.50")
    assert described.endswith("chains a second 0.67, processor time 1.50.")


def test_the_last_line_has_the_figures_of_each_number_of_processes_and_the_ratios() -> None:
    line = json.loads(render_last_line([figures_of(1, slower=1.0), figures_of(2, slower=2.0)]))
    assert [each["replicas"] for each in line["by_replicas"]] == [1, 2]
    assert line["ratios"]["processor time"] == 2.0
