"""Names of the services and helper processes, as on the command line and in `stack.json`."""

from typing import Final

REFERRAL: Final = "referral"
SOURCING: Final = "sourcing"
REGISTRY: Final = "provider-registry"
PRICING: Final = "pricing"
AUDIT: Final = "audit"
ISSUER: Final = "issuer"
RECEIVERS: Final = "receivers"
TELEMETRY: Final = "telemetry"
