"""Every setting of every service refuses a wrong value in one line that names the variable and not the value."""

from pathlib import Path

import pytest

from audit.settings import Settings as AuditSettings
from pricing.settings import Settings as PricingSettings
from provider_registry.settings import Settings as RegistrySettings
from referral.settings import Settings as ReferralSettings
from service_runtime.settings import RuntimeSettings
from service_runtime.startup.errors import StartRefused
from service_runtime.startup.faults import list_variables
from service_runtime.startup.reading import read_settings
from sourcing.settings import Settings as SourcingSettings

SERVICES = (AuditSettings, PricingSettings, RegistrySettings, ReferralSettings, SourcingSettings)
WRONG = "wrong\x07value"
"""No setting takes a control character, so this is wrong for every one of them."""
EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the required variables of all services, as in `.env.example`."""
    for line in EXAMPLE.read_text().splitlines():
        if line and not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    return monkeypatch


def list_cases() -> list[tuple[type[RuntimeSettings], str]]:
    return [(settings, variable) for settings in SERVICES for variable in list_variables(settings)]


@pytest.mark.parametrize(("settings", "variable"), list_cases(), ids=lambda value: getattr(value, "__module__", value))
def test_a_wrong_value_is_refused_in_one_line_that_names_the_variable(
    settings: type[RuntimeSettings], variable: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(variable, WRONG)
    with pytest.raises(StartRefused) as refused:
        read_settings(settings)
    about = [line for line in refused.value.lines if line.startswith(f"{variable} ")]
    assert len(about) == 1, refused.value.lines
    assert " must " in about[0]
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("settings", SERVICES, ids=lambda settings: settings.__module__)
def test_all_missing_settings_are_named_at_once_with_what_they_are(
    settings: type[RuntimeSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    required = {name for name, field in list_variables(settings).items() if field.is_required()}
    for variable in list_variables(settings):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(StartRefused) as refused:
        read_settings(settings)
    assert {line.partition(" is not set; it is ")[0] for line in refused.value.lines} == required
    assert "None" not in str(refused.value)


@pytest.mark.parametrize("settings", SERVICES, ids=lambda settings: settings.__module__)
def test_the_example_is_accepted(settings: type[RuntimeSettings], environment: pytest.MonkeyPatch) -> None:
    assert read_settings(settings).database_url.get_secret_value().startswith("postgresql")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CALLOFF_PORT", "65536", "must be a whole number from 0 to 65535"),
        ("CALLOFF_PORT", "-1", "must be a whole number from 0 to 65535"),
        ("CALLOFF_ROLE", "everything", "must be api, worker or all"),
        ("CALLOFF_DATABASE_URL", "sourcing", "must be a URL like postgresql://role:password@host:5432/database"),
        (
            "CALLOFF_DATABASE_URL",
            "mysql://a:b@db/x",
            "must be a URL like postgresql://role:password@host:5432/database",
        ),
        ("CALLOFF_DATABASE_URL", "postgres://a:b@db:port/x", "must be a URL like postgresql://role:password@host"),
        ("CALLOFF_DATABASE_URL", "postgres://a:b@db/x?sslmode=require", "set CALLOFF_DATABASE_SSLMODE"),
        ("CALLOFF_DATABASE_URL", "postgres://a:b@db/x?y", "must be a URL like postgresql://role:password@host"),
        ("CALLOFF_KAFKA_BOOTSTRAP", "kafka", "must be host:port of one or more Kafka brokers"),
        ("CALLOFF_KAFKA_BOOTSTRAP", "kafka:9092,other", "must be host:port of one or more Kafka brokers"),
        ("CALLOFF_TOKEN_JWKS_URL", "identity.example", "must be a URL like https://"),
        ("CALLOFF_WEBHOOK_KEYS", '["c2hvcnQ="]', "must be a list in JSON of one or more keys, each 32 bytes in base64"),
        ("CALLOFF_WEBHOOK_KEYS", "no list", "must be a list in JSON of one or more keys, each 32 bytes in base64"),
        ("CALLOFF_WEBHOOK_PRIVATE_ADDRESSES", '["nowhere"]', "must be a list in JSON of host:port"),
        ("CALLOFF_MESSAGE_RETENTION", "-P1D", "must be a duration in ISO 8601 that is more than nothing"),
        ("CALLOFF_MESSAGE_RETENTION", "soon", "must be a duration in ISO 8601 that is more than nothing"),
        ("CALLOFF_DRAIN_WITHIN", "-1", "must be a number from 0 to 3600"),
        ("CALLOFF_EGRESS_PROXY", "nowhere", "must be the URL of a proxy like http://"),
        ("CALLOFF_FINGERPRINT_KEY", "short", "must have at least 32 characters"),
        ("CALLOFF_KAFKA_OAUTH_TOKEN_URL", "http://identity.example/token", "must begin with https://"),
        ("CALLOFF_REFERRAL_URL", "https://referral.example/", "without a slash at the end"),
        ("CALLOFF_SMTP_FROM", "nobody", "must be a mail address"),
    ],
)
def test_a_value_that_no_service_could_work_with_is_refused(
    variable: str, value: str, expected: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(StartRefused) as refused:
        read_settings(RegistrySettings)
    assert [line for line in refused.value.lines if line.startswith(variable) and expected in line], refused.value.lines
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://sourcing:p@db:5432/sourcing",
        "postgresql://sourcing:p%40ss@db/sourcing",
        "postgres://sourcing@[::1]:5432/sourcing?application_name=x",
        "postgresql://sourcing:p@first:5432,second:5433/sourcing",
        "postgresql://sourcing:p@first,second/sourcing",
    ],
)
def test_every_usual_form_of_a_database_url_is_accepted(url: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CALLOFF_DATABASE_URL", url)
    assert read_settings(SourcingSettings).database_url.get_secret_value() == url


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["no text", "a folder"])
def test_a_file_of_a_secret_in_small_letters_is_read_or_refused(
    content: bytes | None, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "calloff_database_url"
    environment.delenv("CALLOFF_DATABASE_URL")
    environment.setenv("CALLOFF_SECRETS_DIR", str(tmp_path))
    file.write_text("postgresql://sourcing:p@db/sourcing\n")
    assert read_settings(SourcingSettings).database_url.get_secret_value() == "postgresql://sourcing:p@db/sourcing"
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(StartRefused, match="calloff_database_url in CALLOFF_SECRETS_DIR must be a file of text"):
        read_settings(SourcingSettings)


def test_a_folder_of_secrets_whose_name_the_system_refuses_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CALLOFF_SECRETS_DIR", f"/{'x' * 300}")
    with pytest.raises(StartRefused, match="CALLOFF_SECRETS_DIR must be the path of a folder"):
        read_settings(SourcingSettings)


def test_a_refusal_lists_no_settings_of_other_services(environment: pytest.MonkeyPatch) -> None:
    """All services may share one environment; only a name that resembles a setting may be a slip."""
    environment.setenv("CALLOFF_PORT", "eighty")
    environment.setenv("CALLOFF_POTR", "80")
    with pytest.raises(StartRefused) as refused:
        read_settings(AuditSettings)
    assert [line.split()[0] for line in refused.value.lines] == ["CALLOFF_PORT", "CALLOFF_POTR"]
