"""The comparison with other libraries: means of rounds, ratios, and what the table and the last line show."""

import ast
from typing import Final

import pytest

from bench.peers.comparison import Comparison, SystemFigures
from bench.peers.installation import REQUIREMENTS, read_version
from bench.peers.peer_system import PEERS, Peer
from bench.percentiles import Percentiles

OWN: Final = SystemFigures(60.0, 24.0, Percentiles(p50=11.0, p99=30.0, count=400))
SLOWER: Final = SystemFigures(40.0, 32.0, Percentiles(p50=10.0, p99=40.0, count=400))
CHEAPER: Final = SystemFigures(50.0, 20.0, Percentiles(p50=10.0, p99=40.0, count=400))
COMPARISON: Final = Comparison(
    OWN, {"procrastinate": SLOWER, "faststream": CHEAPER}, {"procrastinate": "3.10.0", "faststream": "0.7.8"}
)


def test_ratios_are_ours_divided_by_theirs() -> None:
    assert OWN.divide_by(SLOWER) == {
        "chains_per_s": 1.5,
        "cpu_ms_per_chain": 0.75,
        "referral_to_webhook_p50": 1.1,
        "referral_to_webhook_p99": 0.75,
    }


def test_the_figures_of_a_system_are_the_means_of_its_rounds() -> None:
    assert SystemFigures.from_rounds([SLOWER, CHEAPER]) == SystemFigures(
        45.0, 26.0, Percentiles(p50=10.0, p99=40.0, count=800)
    )


def test_call_off_is_ahead_only_with_more_chains_at_lower_cost() -> None:
    _, procrastinate, faststream = COMPARISON.to_lines()
    assert (procrastinate.is_reached, faststream.is_reached) == (True, False)
    assert procrastinate.title.startswith("procrastinate 3.10.0")
    assert "ours / theirs: chains_per_s 1.50" in procrastinate.figure


def test_the_last_line_has_every_system_with_its_ratios() -> None:
    assert COMPARISON.to_numbers() == {
        "peers": {
            "calloff": OWN.to_numbers(),
            "procrastinate": {
                "version": "3.10.0",
                **SLOWER.to_numbers(),
                "ratios_ours_to_theirs": OWN.divide_by(SLOWER),
            },
            "faststream": {"version": "0.7.8", **CHEAPER.to_numbers(), "ratios_ours_to_theirs": OWN.divide_by(CHEAPER)},
        }
    }


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.package)
def test_the_version_of_a_compared_library_is_its_pin(peer: Peer) -> None:
    assert f"\n{peer.package}" in REQUIREMENTS.read_text()
    assert f"=={read_version(peer.package)}\n" in REQUIREMENTS.read_text()


def test_a_library_without_a_pin_has_no_version() -> None:
    with pytest.raises(LookupError, match="celery is not pinned"):
        read_version("celery")


def test_every_topic_of_the_chain_is_created() -> None:
    faststream = next(peer for peer in PEERS if peer.package == "faststream")
    source = ast.parse(REQUIREMENTS.with_name(faststream.module).read_text())
    named = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("peer.")
    }
    assert named == set(faststream.topics)
