from typing import Any

from aiokafka.protocol.metadata import MetadataRequest, MetadataResponse

class AIOKafkaConnection:
    async def send(self, request: MetadataRequest) -> MetadataResponse: ...
    def close(self) -> object: ...

# Any: the arguments of a connection have no common type.
async def create_conn(
    host: str, port: int, *, client_id: str, request_timeout_ms: int, **security: Any
) -> AIOKafkaConnection: ...
