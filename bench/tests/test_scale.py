"""Measurements with many packages: copied rows, table scans and the slope of figures."""

import json
from typing import Final

from bench.backlog import Backlog
from bench.calibration import Calibration
from bench.chains import Chains
from bench.latency import RateLatency
from bench.percentiles import Percentiles
from bench.scale import SizeFigures, describe_slopes, render_last_line
from bench.seed_rows import TABLES, SeededTable
from bench.table_scans import Scans, subtract_scans

OFFERS: Final = SeededTable("sourcing", "offers", ids=("offer_id",), numbered=("reference",), bytes=("body",))

CALM: Final = Calibration((27.0, 28.0), other_cores=0.0)


def a_size(packages: int, *, slower: float = 1.0) -> SizeFigures:
    spread = Percentiles.from_samples([10.0 * slower, 20.0 * slower])
    backlog = Backlog(20.0, unplaced=0, delay=0.0, growth=0.0)
    return SizeFigures(packages, RateLatency(spread, spread, backlog), Chains(60.0, spread, 30.0, 20.0, {}), {}, CALM)


def test_a_copy_has_ids_of_its_own_and_is_otherwise_the_same() -> None:
    assert OFFERS.render_column("offer_id", "uuid") == (
        "CAST(lpad(to_hex(number), 8, '0') || substr(CAST(offer_id AS text), 9) AS uuid)"
    )
    assert OFFERS.render_column("reference", "text") == "reference || '-' || number"
    assert OFFERS.render_column("body", "bytea") == "CAST('' AS bytea)"
    assert OFFERS.render_column("rank", "integer") == "rank"


def test_a_copy_lies_further_in_the_past() -> None:
    assert OFFERS.render_column("made_at", "timestamp with time zone") == "made_at - number * interval '6 hours'"


def test_every_table_is_copied_once() -> None:
    assert len({str(table) for table in TABLES}) == len(TABLES)


def test_only_tables_scanned_during_the_measurement_are_reported() -> None:
    before = {"a": Scans(3, 300), "b": Scans(1, 100)}
    assert subtract_scans(before, {"a": Scans(5, 900), "b": Scans(1, 100)}) == {"a": Scans(2, 600)}


def test_a_slope_is_reported_and_noise_is_not() -> None:
    assert describe_slopes([a_size(10_000), a_size(100_000, slower=1.2)]).startswith("No slope from 10,000 to 100,000")
    steep = describe_slopes([a_size(10_000), a_size(1_000_000, slower=2.0)])
    assert steep.startswith("A slope from 10,000 to 1,000,000 packages: referral_to_webhook_p50 ×2.0")


def test_the_last_line_has_each_size_with_its_figures() -> None:
    line = json.loads(render_last_line([a_size(10_000), a_size(100_000)]))
    assert [size["packages"] for size in line["scale"]] == [10_000, 100_000]
    assert [size["calibration"]["calm"] for size in line["scale"]] == [True, True]
    assert line["slope"]["cpu_ms_per_chain"] == 1.0
