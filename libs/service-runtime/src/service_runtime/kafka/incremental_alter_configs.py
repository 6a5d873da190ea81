"""Kafka's request IncrementalAlterConfigs, which changes the named settings and no others.

aiokafka has only AlterConfigs, which resets every setting of the topic that the request does not name.
"""

from collections.abc import Sequence
from typing import Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

from service_runtime.kafka.topics import SettingChange

_TOPIC: Final = 2
_SET: Final = 0


class IncrementalAlterConfigsResponse(Response):
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )

    responses: Sequence[tuple[int, str | None, int, str]]
    """Error code (0 for none), its text, type and name of each resource."""


class IncrementalAlterConfigsStruct(RequestStruct):
    """Version 0, which every Kafka since 2.3 understands."""

    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = IncrementalAlterConfigsResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(("name", String("utf-8")), ("config_operation", Int8), ("value", String("utf-8"))),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class IncrementalAlterConfigs(Request[IncrementalAlterConfigsStruct]):
    """Sets settings of one or more topics."""

    API_KEY = 44

    def __init__(self, changes: Sequence[SettingChange]) -> None:
        self._resources = [
            (_TOPIC, topic, [(each.setting, _SET, each.specified) for each in changes if each.topic == topic])
            for topic in dict.fromkeys(change.topic for change in changes)
        ]

    def build(self, request_struct_class: type[IncrementalAlterConfigsStruct]) -> IncrementalAlterConfigsStruct:
        return request_struct_class(self._resources, False)
