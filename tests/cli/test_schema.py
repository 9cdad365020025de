"""``extproc schema``: what others validate our events with."""

import json

from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from extproc.cli import app
from extproc.core import audit
from extproc.core.audit.schema import event_schema


def test_the_schema_is_printed_as_it_is_and_a_validator_takes_it():
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    printed = json.loads(result.output)
    assert printed == event_schema()
    Draft202012Validator.check_schema(printed)
    Draft202012Validator(printed).validate(audit.stopped(at=1, reason="done"))
