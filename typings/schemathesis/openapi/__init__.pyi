from collections.abc import Iterator, Mapping

from schemathesis import APIOperation
from schemathesis.core.result import Err, Ok

class OpenApiSchema:
    def get_all_operations(self) -> Iterator[Ok[APIOperation] | Err[Exception]]: ...

def from_dict(schema: Mapping[str, object]) -> OpenApiSchema: ...
