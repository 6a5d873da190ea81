"""A pytest plugin with the fixture `problem_schema`: the JSON schema of a problem response from RFC 9457."""

import json

import pytest
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

SCHEMA = "shared/data/standards/rfc9457/problem.schema.unfolded.json"


@pytest.fixture(scope="session")
def problem_schema(pytestconfig: pytest.Config) -> Validator:
    """The schema of RFC 9457. Skips the test if the folder with the standards is not next to the repository."""
    path = pytestconfig.rootpath.parent / SCHEMA
    if not path.exists():
        pytest.skip(f"errors are not validated against RFC 9457: ../{SCHEMA} does not exist")
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
