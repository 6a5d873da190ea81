from typing import Any

OPENAPI_31: dict[str, Any]
