"""The environment variables that every service reads; a service's own settings add to these."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field, SecretStr, model_validator

from service_runtime.kafka.settings import KafkaSettings


class RuntimeSettings(KafkaSettings):
    """Settings, read once in `wiring`. Durations are in seconds; OpenTelemetry's variables are in milliseconds."""

    database_url: SecretStr = Field(description="postgresql+asyncpg://role:password@host:port/database")
    migration_database_url: SecretStr | None = Field(
        default=None, description="the same database as the role that owns its tables, for `migrate` only"
    )
    host: str = "127.0.0.1"
    port: int = 0
    health_port: int = Field(
        default=0, ge=0, le=65_535, description="port of a second listener that answers only the probes; 0 for none"
    )
    max_connections: int = Field(default=1_000, ge=10, description="clients' connections that are open at once")
    role: Literal["api", "worker", "all"] = "all"
    pool_size: int = Field(default=20, ge=2, description="number of connections to the database; all stay open")

    token_issuer: str
    token_audience: str = "calloff"  # noqa: S105  a name, not a secret
    token_jwks_url: str

    command_rate_limit: float = Field(
        default=200, gt=0, description="commands a second that each caller may send to this process in the long run"
    )
    command_burst_limit: int = Field(default=2_000, ge=1, description="commands that each caller may send at once")

    fingerprint_key: SecretStr = Field(min_length=32, description="key of the HMACs of request bodies")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1)
    metrics_every_ms: int = Field(default=60_000, gt=0, validation_alias="OTEL_METRIC_EXPORT_INTERVAL")
    drain_within: float = Field(
        default=10.0, description="seconds that a shutdown waits for requests and events in progress"
    )

    simulated_clock: AwareDatetime | None = Field(
        default=None, description="instant at which the simulated clock of the embedded stack starts"
    )
    simulation_key: SecretStr | None = Field(
        default=None, min_length=16, description="secret that authorises moving the simulated clock"
    )

    @model_validator(mode="after")
    def _check_simulated_clock(self) -> Self:
        if self.simulated_clock is None:
            return self
        if self.simulation_key is None or self.host not in {"127.0.0.1", "::1"} or self.role != "all":
            message = "a simulated clock needs a simulation key, a loopback host and the role all"
            raise ValueError(message)
        return self
