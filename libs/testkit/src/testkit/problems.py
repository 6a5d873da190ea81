"""RFC 9457's own schema of a problem, for every test that holds an error against it; a plugin of pytest."""

import json

import pytest
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

SCHEMA = "shared/data/standards/rfc9457/problem.schema.unfolded.json"


@pytest.fixture(scope="session")
def problem_schema(pytestconfig: pytest.Config) -> Validator:
    """The test is skipped where the folder with the standards does not lie beside the repository."""
    path = pytestconfig.rootpath.parent / SCHEMA
    if not path.exists():
        pytest.skip(f"errors are not held against RFC 9457: ../{SCHEMA} is not there")
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
