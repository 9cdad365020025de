"""One word of a command line, its quotes resolved, as far as it is known before the shell runs.

What is only known at run time is spelled ``${NAME}``, ``${_}`` where it is no plain variable, and named beside it, so
that no rule can take it for text.
"""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["NUMBER", "OUTPUT", "PIPED_IN", "PIPED_OUT", "RUN_TIME", "Word", "hides_code", "static"]

OUTPUT: Final = "_"
"""The name of a run-time part that is no plain variable: a command's output, an expansion with an operator."""
RUN_TIME: Final = f"${{{OUTPUT}}}"
NUMBER: Final = "#"
"""The name of a run-time part that is surely a number."""
PIPED_IN: Final = "<()"
"""The text of a process substitution that is read from, which the command sees as a file."""
PIPED_OUT: Final = ">()"
_SUBSCRIPT_CODE: Final = re.compile(r"\[[^\[\]]*(?:\$\(|`)")


@dataclass(frozen=True, slots=True)
class Word:
    """The text, the names of its run-time parts, and whether the shell may still make file names or lists of it."""

    text: str
    names: tuple[str, ...] = ()
    open: bool = False

    @property
    def is_dynamic(self) -> bool:
        """Whether a part of it is only known at run time and may be any text."""
        return any(name != NUMBER for name in self.names)

    @property
    def may_be_option(self) -> bool:
        """Whether it may turn out to be an option."""
        return self.is_dynamic and self.text.startswith(("${", "-"))


def static(text: str) -> Word:
    """A word that is what it says."""
    return Word(text)


def hides_code(text: str) -> bool:
    """Whether a literal has a subscript with a command in it, which the shell runs where it takes it for a number."""
    return bool(_SUBSCRIPT_CODE.search(text))
