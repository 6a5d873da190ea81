"""Calibration: a machine that changes its speed or works for others is not calm."""

import subprocess
import sys

import pytest

from bench.calibration import Calibration, CalibrationStart, list_own_processes, measure_processor_time_without

BUSY_PROGRAM = """
import sys, time
while time.process_time() < 0.5: pass
print("done", flush=True)
sys.stdin.read()
"""


def test_a_machine_of_steady_speed_without_other_processes_is_calm() -> None:
    assert Calibration((28.0, 30.0, 27.0, 33.0), other_cores=0.1).is_calm


def test_one_slow_loop_is_an_accident() -> None:
    assert Calibration((27.0, 28.0, 90.0, 27.5), other_cores=0.0).is_calm


def test_a_varying_speed_is_a_disturbance() -> None:
    calibration = Calibration((20.0, 20.0, 26.0, 26.0), other_cores=0.0)
    assert calibration.list_disturbances() == ["the speed of the machine varied by 30%"]
    assert not calibration.is_calm


def test_the_work_of_other_processes_is_a_disturbance() -> None:
    assert Calibration((27.0, 27.0), other_cores=0.55).list_disturbances() == ["other processes used 0.55 cores"]


def test_a_single_loop_has_no_variation() -> None:
    assert Calibration((27.0,), other_cores=0.0).variation == 0.0


def test_the_processes_of_the_bench_are_told_from_others() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        assert busy.stdout.readline() == b"done\n"
        own = list_own_processes()
        assert busy.pid in own
        without = measure_processor_time_without(own)
        assert measure_processor_time_without(own - {busy.pid}) - without > 0.4


def test_a_calibration_times_the_loop_before_and_after() -> None:
    start = CalibrationStart.measure()
    calibration = start.finish()
    assert calibration.loop_ms[: len(start.loop_ms)] == start.loop_ms
    assert len(calibration.loop_ms) == 2 * len(start.loop_ms)
    assert calibration.other_cores >= 0


@pytest.mark.parametrize("loops", [(27.0, 28.0), (28.0, 27.0)])
def test_the_report_shows_the_fastest_and_the_slowest_loop(loops: tuple[float, float]) -> None:
    assert str(Calibration(loops, other_cores=0.0)) == "27–28 ms"
