"""The environment variables that name Kafka and the topics' replicas; the services and the topics command read them."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_runtime.kafka.topics import Replication


class KafkaSettings(BaseSettings):
    """Where Kafka is, and how many replicas its topics have."""

    # A rejected value may be a password, which an error message would write to the log.
    model_config = SettingsConfigDict(frozen=True, env_prefix="CALLOFF_", env_file=None, hide_input_in_errors=True)

    kafka_bootstrap: str
    kafka_replication_factor: int = Field(
        default=1, ge=1, le=32_767, description="replicas of each topic; 3 for an installation that has to survive"
    )
    kafka_min_insync_replicas: int = Field(
        default=1, ge=1, description="replicas that must have a batch before Kafka acknowledges it; 2 of 3"
    )

    @property
    def replication(self) -> Replication:
        return Replication(self.kafka_replication_factor, self.kafka_min_insync_replicas)

    @model_validator(mode="after")
    def _check_replication(self) -> Self:
        if self.kafka_min_insync_replicas > self.kafka_replication_factor:
            message = (
                "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS must not be above CALLOFF_KAFKA_REPLICATION_FACTOR:"
                " Kafka would accept no event"
            )
            raise ValueError(message)
        return self
