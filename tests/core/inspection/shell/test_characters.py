import pytest

from extproc.core.inspection.shell.characters import objection
from extproc.core.limits import MAX_SHELL_BYTES, MAX_SHELL_OPERATORS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ls -la | head",
        "echo 'Grüße, 你好, مرحبا'",
        "printf 'a\tb'",
        "a\nb",
        "kubectl get \\\n  pods",
        "a && \\\nb",
        "a |\\\nb",
        "a" * MAX_SHELL_BYTES,
        "a;" * (MAX_SHELL_OPERATORS - 1),
    ],
)
def test_ordinary_text_is_read(text):
    assert objection(text) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a" * (MAX_SHELL_BYTES + 1), "a command line of more than 4096 bytes"),
        ("é" * (MAX_SHELL_BYTES - 5), "a command line of more than 4096 bytes"),
        ("a;" * (MAX_SHELL_OPERATORS + 1), "a command line with more than 512 operators"),
        ("a\n" * (MAX_SHELL_OPERATORS + 1), "a command line with more than 512 operators"),
        ("${a" * (MAX_SHELL_OPERATORS + 1), "a command line with more than 512 operators"),
        ("a=(" * (MAX_SHELL_OPERATORS + 1), "a command line with more than 512 operators"),
        ("ls\x00", "a control character"),
        ("ls\r", "a control character"),
        ("ls\x1b[2J", "a control character"),
        ("ls\x7f", "a control character"),
        ("rm\u00a0-rf", "an invisible, reordering or odd space character"),
        ("rm\u2003-rf", "an invisible, reordering or odd space character"),
        ("rm\u2028-rf", "an invisible, reordering or odd space character"),
        ("r\u200bm", "an invisible, reordering or odd space character"),
        ("\u202erm", "an invisible, reordering or odd space character"),
        ("r\u00adm", "an invisible, reordering or odd space character"),
        ("r\u3164m", "an invisible, reordering or odd space character"),
        ("r\ue000m", "an invisible, reordering or odd space character"),
        ("r\U000e0041m", "an invisible, reordering or odd space character"),
        ("r\x9bm", "an invisible, reordering or odd space character"),
        ("\ud800", "an invisible, reordering or odd space character"),
        ("r\\\nm -rf /", "a word that goes on in the next line"),
        ("ls; \\rm\\\n\\x", "a word that goes on in the next line"),
    ],
)
def test_what_may_be_read_in_two_ways_is_not_read(text, sentence):
    assert objection(text) == sentence
