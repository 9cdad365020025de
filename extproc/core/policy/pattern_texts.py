"""A RE2 pattern of the operator, read and tried: one that cannot be compiled is a mistake with its place."""

import re2

from extproc.core.limits import MAX_PATTERN_CHARS
from extproc.core.policy.positions import Node
from extproc.core.policy.reading import Reading, Word

__all__ = ["compiled_pattern", "read_pattern"]


def read_pattern(node: Node, what: str, reading: Reading) -> Word | None:
    """The pattern, if it is one."""
    pattern = reading.word(node, what)
    if pattern is None:
        return None
    if len(pattern.value) > MAX_PATTERN_CHARS:
        reading.problem(pattern.spot, f"the pattern is longer than {MAX_PATTERN_CHARS} characters", "Shorten it")
        return None
    try:
        compiled_pattern(pattern.value)
    except re2.error as error:
        said = b"".join(error.args).decode("utf-8", "replace")
        fix = "RE2 has no look-around and no back-references; see https://github.com/google/re2/wiki/Syntax"
        reading.problem(pattern.spot, f"the pattern is not valid RE2 ({said})", fix)
        return None
    return pattern


def compiled_pattern(text: str) -> "re2._Regexp":
    """The pattern, ready to be searched; linear in what it is searched in.

    Raises:
        re2.error: it is none.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)
