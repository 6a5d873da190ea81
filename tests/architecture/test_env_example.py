"""`.env.example` lists every environment variable that the services read, and no others."""

import re
from pathlib import Path
from typing import Final

from audit.settings import Settings as AuditSettings
from pricing.settings import Settings as PricingSettings
from provider_registry.settings import Settings as RegistrySettings
from referral.settings import Settings as ReferralSettings
from service_runtime.settings import RuntimeSettings
from service_runtime.startup.reading import SECRETS_DIR
from sourcing.settings import Settings as SourcingSettings

EXAMPLE: Final = Path(__file__).parents[2] / ".env.example"
SETTINGS: Final = (AuditSettings, PricingSettings, RegistrySettings, ReferralSettings, SourcingSettings)


def _list_variables(settings: type[RuntimeSettings], *, required: bool) -> set[str]:
    return {
        field.validation_alias if isinstance(field.validation_alias, str) else f"CALLOFF_{name.upper()}"
        for name, field in settings.model_fields.items()
        if field.is_required() or not required
    }


def test_every_variable_is_listed_once() -> None:
    listed = re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE.read_text(), flags=re.MULTILINE)
    expected = {name for settings in SETTINGS for name in _list_variables(settings, required=False)}
    assert sorted(listed) == sorted({*expected, SECRETS_DIR})


def test_required_variables_have_an_example_and_others_are_commented_out() -> None:
    active = set(re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), flags=re.MULTILINE))
    assert active == {name for settings in SETTINGS for name in _list_variables(settings, required=True)}
