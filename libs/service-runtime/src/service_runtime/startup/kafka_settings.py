"""Reads the settings of Kafka for commands that need no others."""

import os
from typing import Final

from service_runtime.kafka.settings import KafkaSettings
from service_runtime.startup.reading import read_settings

_BOOTSTRAP: Final = "CALLOFF_KAFKA_BOOTSTRAP"


def read_kafka_settings(bootstrap: str | None = None) -> KafkaSettings:
    """Returns the settings of the environment; `bootstrap` wins over its variable. Raises StartRefused."""
    if bootstrap:
        os.environ[_BOOTSTRAP] = bootstrap
    return read_settings(KafkaSettings)
