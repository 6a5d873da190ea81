"""The environment variables that every service reads; a service's own settings add to these."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from service_runtime.kafka.settings import KafkaSettings
from service_runtime.postgres.settings import DatabaseSettings
from service_runtime.settings_types import HttpUrl, Key, ListenAddress, Port, Text


class RuntimeSettings(DatabaseSettings, KafkaSettings):
    """Settings, read once by `startup.reading`. Durations are in seconds; OpenTelemetry's in milliseconds."""

    host: ListenAddress = "127.0.0.1"
    port: Port = 0
    health_port: Port = Field(default=0, description="port of a second listener that answers only the probes; 0: none")
    max_connections: int = Field(default=1_000, ge=10, description="clients' connections that are open at once")
    role: Literal["api", "worker", "all"] = "all"

    token_issuer: Text = Field(description="the issuer of callers' tokens, as in their claim `iss`")
    token_audience: Text = "calloff"  # noqa: S105  a name, not a secret
    token_jwks_url: HttpUrl = Field(description="the URL of the issuer's public keys, a JWKS")

    command_rate_limit: float = Field(
        default=200, gt=0, description="commands a second that each caller may send to this process in the long run"
    )
    command_burst_limit: int = Field(default=2_000, ge=1, description="commands that each caller may send at once")

    fingerprint_key: Key = Field(description="the key of the HMACs of request bodies, at least 32 characters")
    idempotency_retention: timedelta = Field(
        default=timedelta(days=30),
        ge=timedelta(days=1),
        description="an Idempotency-Key counts this long after its first request; then a repeat is a new request",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: HttpUrl | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1)
    metrics_every_ms: int = Field(default=60_000, gt=0, validation_alias="OTEL_METRIC_EXPORT_INTERVAL")
    drain_within: float = Field(
        default=10.0, ge=0, le=3_600, description="seconds that a shutdown waits for requests and events in progress"
    )

    simulated_clock: AwareDatetime | None = Field(
        default=None, description="instant at which the simulated clock of the embedded stack starts"
    )
    simulation_key: SecretStr | None = Field(
        default=None, min_length=16, description="secret that authorises moving the simulated clock"
    )

    def find_contradictions(self) -> Iterator[str]:
        yield from super().find_contradictions()
        if self.port and self.port == self.health_port:
            yield "CALLOFF_HEALTH_PORT must be another port than CALLOFF_PORT, or 0"
        if self.simulated_clock is None:
            return
        if self.simulation_key is None or self.host not in {"127.0.0.1", "::1"} or self.role != "all":
            yield (
                "CALLOFF_SIMULATED_CLOCK is for the embedded stack: a simulated clock needs CALLOFF_SIMULATION_KEY, "
                "CALLOFF_HOST=127.0.0.1 and CALLOFF_ROLE=all"
            )
