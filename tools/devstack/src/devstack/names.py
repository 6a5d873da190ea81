"""Names of the services and helper processes, as on the command line and in `stack.json`, and of variables."""

from typing import Final

REFERRAL: Final = "referral"
SOURCING: Final = "sourcing"
REGISTRY: Final = "provider-registry"
PRICING: Final = "pricing"
AUDIT: Final = "audit"
ISSUER: Final = "issuer"
RECEIVERS: Final = "receivers"
TELEMETRY: Final = "telemetry"
INSTALLATION_VARIABLE: Final = "CALLOFF_INSTALLATION"
"""Names the file of another installation, on which the commands act instead of the embedded stack."""
TOKEN_VARIABLE: Final = "CALLOFF_TOKEN"  # noqa: S105 - the name of a variable
"""A bearer token that the commands send to another installation instead of fetching one."""
COUNCIL_VARIABLE: Final = "CALLOFF_COUNCIL"
"""The council for which the commands act; without it the default council of the stack."""
