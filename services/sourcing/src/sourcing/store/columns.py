"""Converts columns to values and back."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any


def parse_json(column: str | None) -> Any:  # JSON of any shape; numbers stay exact
    return None if column is None else json.loads(column, parse_float=Decimal)


def parse_instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
