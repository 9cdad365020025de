"""What became of a request that had to be refused."""

import pytest

from extproc.core.doctor import CANARIES, Severity, heard, untried
from extproc.core.doctor.canaries import OUR_WORDS

NO_TOKEN, FORGED, REFUSED = CANARIES
RESULT = b'{"jsonrpc":"2.0","id":"extproc-canary","result":{}}'
ERROR = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"authentication required"}}'
OURS = f'{{"jsonrpc":"2.0","id":null,"error":{{"code":-32700,"message":"{OUR_WORDS}"}}}}'.encode()


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("body", [RESULT, b"", b"data: {}\n\n", b"[]"])
def test_an_answer_is_unsafe(canary, body):
    finding = heard(canary, 200, body)
    assert finding is not None
    assert (finding.severity, finding.problem) == (Severity.UNSAFE, canary.problem)


@pytest.mark.parametrize("canary", [NO_TOKEN, FORGED])
@pytest.mark.parametrize(("status", "body"), [(401, ERROR), (403, b""), (200, ERROR)])
def test_a_refusal_is_safe(canary, status, body):
    assert heard(canary, status, body) is None


def test_the_service_is_known_by_its_words():
    assert heard(REFUSED, 400, OURS) is None
    finding = heard(REFUSED, 401, ERROR)
    assert finding is not None
    assert finding.severity is Severity.BROKEN


def test_what_was_not_tried_is_no_proof():
    finding = untried("http://127.0.0.1:10000/mcp")
    assert (finding.severity, finding.where) == (Severity.WEAK, ("http://127.0.0.1:10000/mcp",))
