"""`python -m devstack.docs.openapi` writes docs/openapi from the code of the services, without starting them."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from audit import wiring as audit_wiring
from audit.settings import Settings as AuditSettings
from devstack.home import REPOSITORY
from pricing import wiring as pricing_wiring
from pricing.settings import Settings as PricingSettings
from provider_registry import wiring as registry_wiring
from provider_registry.settings import Settings as RegistrySettings
from referral import wiring as referral_wiring
from referral.settings import Settings as ReferralSettings
from service_runtime.observability.logs import build_logger
from service_runtime.runner import Runner
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from sourcing import wiring as sourcing_wiring
from sourcing.settings import Settings as SourcingSettings

FOLDER: Final = REPOSITORY / "docs" / "openapi"
POSTCODES: Final = REPOSITORY / ".calloff" / "postcodes"
UNREACHABLE_SETTINGS: Final = RuntimeSettings(
    database_url=SecretStr("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere"),
    kafka_bootstrap="127.0.0.1:1",
    token_issuer="http://127.0.0.1:1",  # noqa: S106 - an address
    token_jwks_url="http://127.0.0.1:1",  # noqa: S106 - an address
    fingerprint_key=SecretStr("0" * 32),
)
"""Valid settings without a real address: a service that is built but not started connects to nothing."""


def build_services() -> Iterator[Service[Any]]:
    """Builds every service. They have different units of work, so no narrower type exists."""
    common = UNREACHABLE_SETTINGS.model_dump(exclude={"otlp_endpoint", "metrics_every_ms"})
    no_key = SecretStr(base64.b64encode(bytes(32)).decode())
    yield referral_wiring.build(
        ReferralSettings(
            **common, postcode_directory=POSTCODES, referral_url="http://127.0.0.1:1", webhook_keys=(no_key,)
        )
    )
    yield sourcing_wiring.build(SourcingSettings(**common, text_keys=(no_key,)))
    yield pricing_wiring.build(PricingSettings(**common))
    yield registry_wiring.build(
        RegistrySettings(
            **common, sourcing_url="http://127.0.0.1:1", referral_url="http://127.0.0.1:1", webhook_keys=(no_key,)
        )
    )
    yield audit_wiring.build(AuditSettings(**common))


def render_pages() -> dict[Path, str]:
    """The content of each service's page."""
    return {FOLDER / f"{service.name}.json": _render_page(service) for service in build_services()}


def _render_page(service: Service[Any]) -> str:
    log = build_logger(service.name, level="error")
    return json.dumps(Runner(service, log=log).build_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def find_stale_pages() -> list[Path]:
    """Pages that are missing, differ from the code, or belong to no service."""
    expected = render_pages()
    differing = [
        page for page, text in expected.items() if not page.exists() or page.read_text(encoding="utf-8") != text
    ]
    return differing + [page for page in FOLDER.glob("*.json") if page not in expected]


def write_pages() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in find_stale_pages():
        page.unlink(missing_ok=True)
    for page, text in render_pages().items():
        page.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        write_pages()
        return 0
    stale = find_stale_pages()
    for page in stale:
        sys.stderr.write(f"{page.relative_to(REPOSITORY)} is out of date; run `make docs`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
