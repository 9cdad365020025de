"""``as``: what becomes of a value; a mask that would keep too much, or could be mistaken for text, does not load."""

import pytest

from policies import GOOD, problems


@pytest.mark.parametrize(
    ("written", "what", "fix"),
    [
        ("mask", "is none of `redact`, `hash`", "Use one of"),
        ("hsah", "is none of `redact`, `hash`", "Did you mean `hash`?"),
        ("keep_last", "needs a value", "{keep_last: 4}"),
        ("replace", "needs a value", "{replace: removed}"),
        ("{}", "is not one of", "Keep one"),
        ("{keep_last: 4, replace: x}", "is not one of", "Keep one"),
        ("{keep_first: 4}", "unknown key `keep_first`", "Did you mean `keep_last`?"),
        ("{keep_last: 5}", "keeps too much", "from 1 to 4"),
        ("{keep_last: 0}", "keeps nothing", "from 1 to 4"),
        ("{keep_last: true}", "keeps nothing", "from 1 to 4"),
        ("{keep_last: '4'}", "keeps nothing", "from 1 to 4"),
        ("{keep_last: [4]}", "keeps nothing", "from 1 to 4"),
        ("{replace: ''}", "`replace` must be text", "Write a text"),
        ("{replace: 5}", "`replace` must be text", "quotes"),
        ("{replace: '[email]'}", "`replace` has a character", "plain words"),
        ("{replace: 'a\"b'}", "`replace` has a character", "plain words"),
        ('{replace: "a\\u200bb"}', "`replace` has a character", "plain words"),
        (f"{{replace: {'x' * 101}}}", "is too long", "100 characters"),
        ("[redact]", "is none of `redact`, `hash`", "Use one of"),
    ],
)
def test_a_style_that_cannot_be_is_refused(written: str, what: str, fix: str) -> None:
    found = problems(GOOD + f"masking:\n  - {{name: pii, servers: [db], detect: [email], as: {written}}}\n")
    assert len(found) == 1, "\n".join(map(str, found))
    assert what in found[0].what
    assert fix in found[0].fix
