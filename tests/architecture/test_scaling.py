"""The constants and the arithmetic of docs/scaling.md agree with the code and with each other."""

import re
from pathlib import Path
from typing import Final

from contracts.catalogue import PARTITIONS
from service_runtime.kafka.client import SESSION_TIMEOUT_MS
from service_runtime.kafka.consumer import MAX_UNFINISHED
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work import commit_rounds
from service_runtime.webhooks.config import Limits
from testkit.kubernetes_manifests import SOURCES, parse

ARCHIVE: Final = SOURCES / "base" / "service" / "archive.yaml"
PAGE: Final = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text()
DEFAULTS: Final = {name: field.default for name, field in RuntimeSettings.model_fields.items()}
CONSTANTS: Final = {
    "partitions of a topic": f"{PARTITIONS}",
    "session timeout of a consumer": f"{SESSION_TIMEOUT_MS // 1000} s",
    "unfinished records of a consumer": f"{MAX_UNFINISHED}",
    "commit rounds at a time": f"{commit_rounds.MAX_CONCURRENCY}",
    "connections of a process to its database": f"{DEFAULTS['pool_size']}",
    "connections of clients to a process": f"{DEFAULTS['max_connections']}",
    "commands a second of one caller": f"{DEFAULTS['command_rate_limit']}",
    "webhook requests of a process at a time": f"{Limits().requests}",
    "webhook requests to one endpoint at a time": f"{Limits().requests_for_each}",
}
COUNTIES: Final = (1, 10, 40)


def _read_rows(heading: str) -> dict[str, list[str]]:
    """Returns the rows of all tables of a section, by their first cell."""
    section = re.split(r"^## ", PAGE.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    return {first: rest for first, *rest in rows}


SIZES: Final = _read_rows("Three sizes")


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[\d,.]+%?", cell) is not None


def _to_number(cell: str) -> float:
    return float(cell.replace(",", "").rstrip("%"))


def _agree_to(cells: list[str], expected: list[float]) -> bool:
    """True if the figures of the page are the expected ones, as they are rounded there."""
    shown = [_to_number(cell) for cell in cells]
    return all(abs(each - value) <= 0.06 * value + 0.0005 for each, value in zip(shown, expected, strict=True))


def _agree(row: str, expected: list[float]) -> bool:
    return _agree_to(SIZES[row], expected)


def test_the_constants_are_those_of_the_code() -> None:
    rows = _read_rows("What limits each part")
    assert {name: rows[name][0] for name in CONSTANTS} == CONSTANTS


def test_settings_that_are_named_exist() -> None:
    named = {name.lower() for name in re.findall(r"CALLOFF_(\w+)", PAGE)}
    assert len(named) > 3
    assert sorted(named - set(DEFAULTS)) == []


def test_the_figures_of_the_sizes_follow_from_the_assumptions() -> None:
    years = [10_000.0 * county for county in COUNTIES]
    days = [year / 250 for year in years]
    burst = [200 / 600 * county for county in COUNTIES]
    assert _agree("packages a year", years)
    assert _agree("packages a working day", days)
    assert _agree("packages in the busiest hour", [day / 5 for day in days])
    assert _agree("packages a second in that hour", [day / 5 / 3600 for day in days])
    assert _agree("packages a second while 200 (one for each county) are handed back", burst)
    assert _agree("webhooks a second then (16 a package)", [16 * each for each in burst])
    chains = _to_number(SIZES["whole chains: referral, two declines, acceptance, placement, order, three webhooks"][0])
    assert _agree(f"share of {chains:.0f} chains a second then", [100 * each / chains for each in burst])
    visits = [1_000_000 * county / 28 / 86_400 for county in COUNTIES]
    assert _agree("visits a second, spread over the day", visits)
    in_an_hour = [1_000_000 * county / 3600 for county in COUNTIES]
    assert _agree("visits a second, if all files arrive in one hour", in_an_hour)


def test_the_storage_of_a_package_is_the_sum_of_its_rows_and_that_of_a_year_follows() -> None:
    rows = _read_rows("Storage")
    parts = {name: [_to_number(cell) for cell in rows[name]] for name in rows if all(map(_is_number, rows[name]))}
    parts = {name: cells for name, cells in parts.items() if "year" not in name}
    assert len(parts) == 11
    assert [name for name, (each, times, total) in parts.items() if each * times != total] == []
    in_kafka = parts.pop("event in Kafka, one copy")[-1]
    in_archives = [parts.pop(f"event in an archive of {each}")[-1] for each in ("a journal", "audit's record")]
    in_postgres = sum(total for _, _, total in parts.values())
    assert _to_number(rows["**PostgreSQL, all databases**"][-1]) == in_postgres
    assert _to_number(rows["**Kafka, three copies**"][-1]) == 3 * in_kafka
    years = [10_000 * county for county in COUNTIES]
    assert _agree_to(rows["PostgreSQL, GB a year"], [in_postgres * year / 1e9 for year in years])
    assert _agree_to(rows["Kafka with three copies, GB a year"], [3 * in_kafka * year / 1e9 for year in years])
    assert _agree_to(rows["archives of audit's record, GB a year"], [max(in_archives) * year / 1e9 for year in years])
    assert _agree_to(
        rows["visits at 200 bytes a row with its index (assumed), GB a year"],
        [13 * 1_000_000 * 200 * county / 1e9 for county in COUNTIES],
    )


def test_the_years_that_a_volume_of_archives_lasts_follow_from_its_size() -> None:
    rows = _read_rows("Storage")
    (claim,) = (each for each in parse(ARCHIVE.read_text()) if each["kind"] == "PersistentVolumeClaim")
    gibibytes = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi"))
    bytes_a_package = _to_number(rows["event in an archive of audit's record"][-1])
    assert _agree_to(
        rows[f"years of them in the {gibibytes} GiB that Kubernetes keeps for each service"],
        [gibibytes * 2**30 / (bytes_a_package * 10_000 * county) for county in COUNTIES],
    )
