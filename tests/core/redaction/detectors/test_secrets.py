import pytest

from extproc.core.redaction.detectors import compile_detectors
from extproc.core.redaction.detectors.gitleaks import GITLEAKS
from extproc.core.redaction.detectors.secrets import SECRETS

SEARCH = compile_detectors(("api_key", "password"), (), threshold=0.5)


def test_every_form_of_the_vendors_is_a_rule():
    assert len(SECRETS) > len(GITLEAKS) > 200


@pytest.mark.parametrize(
    "text",
    [
        "SLACK=xoxb-" + "123456789012-1234567890123-" + "abcdefABCDEF123456789012",
        "glpat-" + "aB3dE6fG9hJ2kL5mN8pQ",
        "npm_" + "aB3dE6fG9hJ2kL5mN8pQrS4tU7vW0xY1zAbC",
        "AIza" + "SyD3x4mpl3K3yV4lu3F0rT3st1ngPurp0s3s",
        "SG." + "aB3dE6fG9hJ2kL5mN8pQrS" + ".aB3dE6fG9hJ2kL5mN8pQrS4tU7vW0xY1zAbCdEfGhIj",
        "AccountKey=" + "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq" + "==",
    ],
)
def test_keys_of_vendors_are_found(text):
    assert SEARCH.find([text])[0]


def test_a_value_that_is_no_secret_is_left():
    assert SEARCH.find(["api_key = getenv('X')", "secret: enabled", "Basic understanding of things"]) == [(), (), ()]
