"""Addresses of databases are read from a file or a folder; passwords appear in no message and on no command line."""

import json
from pathlib import Path

import pytest

from calloff.backup.addresses import DatabaseAddress, load_addresses
from calloff.backup.postgres_programs import find_program
from devstack.config import SERVICES
from devstack.errors import BackUpFailed, InvalidInstallation

PASSWORD = "in%40vented"


def build_addresses(**changed: str) -> dict[str, str]:
    addresses = {
        each.name: f"postgresql+asyncpg://{each.owner}:{PASSWORD}@db:5432/{each.package}?sslmode=verify-full"
        for each in SERVICES
    }
    return addresses | {name.replace("_", "-"): url for name, url in changed.items()}


def test_a_file_and_a_folder_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "databases.json").write_text(json.dumps(build_addresses()))
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "..data").mkdir()
    for name, url in build_addresses().items():
        (folder / name).write_text(f"{url}\n")
    assert load_addresses(folder) == load_addresses(tmp_path / "databases.json")


def test_a_password_goes_to_programs_by_their_environment_only() -> None:
    address = DatabaseAddress("sourcing", f"postgresql://owner:{PASSWORD}@db:5432/sourcing?sslmode=verify-full")
    assert address.url_without_password == "postgresql://owner@db:5432/sourcing?sslmode=verify-full"
    assert address.environment["PGPASSWORD"] == "in@vented"
    assert PASSWORD not in repr(address)
    assert address.place == "db:5432/sourcing"


@pytest.mark.parametrize(
    ("query", "without"),
    [
        (f"password={PASSWORD}&sslmode=require", "sslmode=require"),
        ("options=-c%20statement_timeout%3D0&passfile=a+b", "options=-c%20statement_timeout%3D0&passfile=a+b"),
    ],
)
def test_the_other_settings_of_an_address_reach_programs_as_they_are_written(query: str, without: str) -> None:
    address = DatabaseAddress("sourcing", f"postgresql://owner@db/sourcing?{query}")
    assert address.url_without_password == f"postgresql://owner@db/sourcing?{without}"
    assert address.environment.get("PGPASSWORD") == ("in@vented" if "password=" in query else None)


def test_several_hosts_and_an_address_without_a_role_are_accepted(tmp_path: Path) -> None:
    urls = {"sourcing": "postgres://owner:p@[::1]:5432,db2/sourcing", "audit": "postgresql://db/audit?user=me"}
    (tmp_path / "databases.json").write_text(json.dumps(build_addresses(**urls)))
    loaded = load_addresses(tmp_path / "databases.json")
    assert (loaded["sourcing"].place, loaded["audit"].place) == ("[::1]:5432,db2/sourcing", "db/audit")


def test_a_file_of_a_folder_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "sourcing").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInstallation, match=r"cannot be read from .*: UnicodeDecodeError"):
        load_addresses(tmp_path)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"sourcing": "mysql://owner@db/sourcing"}, "the address of sourcing is not of the form postgresql://"),
        ({"sourcing": f"postgresql://owner:{PASSWORD}@db"}, "the address of sourcing is not of the form postgresql://"),
        ({"sourcing": f"postgresql://owner:{PASSWORD}@db:54x/sourcing"}, "the address of sourcing is not of the form"),
        ({"sourcing": f"postgresql://owner:{PASSWORD}/x@db/sourcing"}, "is not of the form postgresql://"),
        ({"sourcing": f"postgresql://owner:{PASSWORD}[x@db/sourcing"}, "/ @ : ? # in a password are percent-encoded"),
        ({"sourcing": f"postgresql://owner@db/sourcing?sslpassword={PASSWORD}"}, "has sslpassword, which other users"),
        ({"sorcing": "postgresql://db/sourcing"}, "has an unknown sorcing"),
        ({"sourcing": "postgresql://me@db:5432/audit"}, "sourcing and audit have the same database"),
    ],
)
def test_a_wrong_address_is_named_without_its_password(tmp_path: Path, changed: dict[str, str], fault: str) -> None:
    file = tmp_path / "databases.json"
    file.write_text(json.dumps(build_addresses(**changed)))
    with pytest.raises(InvalidInstallation) as caught:
        load_addresses(file)
    assert fault in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_missing_service_and_a_file_of_another_form_are_named(tmp_path: Path) -> None:
    file = tmp_path / "databases.json"
    file.write_text(json.dumps({"referral": "postgresql://db/referral"}))
    with pytest.raises(InvalidInstallation, match="has no sourcing, has no provider-registry, has no pricing"):
        load_addresses(file)
    file.write_text("postgresql://db/referral")
    with pytest.raises(InvalidInstallation, match="is not of the form"):
        load_addresses(file)
    with pytest.raises(InvalidInstallation, match=r"cannot be read from .*: No such file"):
        load_addresses(tmp_path / "other.json")


def test_a_program_older_than_the_server_is_refused_with_what_to_install() -> None:
    with pytest.raises(BackUpFailed, match="and the server of version 99; install pg_dump 99 or later"):
        find_program("pg_dump", server=99)
    with pytest.raises(BackUpFailed, match="pg_nothing is not installed"):
        find_program("pg_nothing", server=15)
