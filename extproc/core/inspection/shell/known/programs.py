"""Shells and interpreters: which options are followed by code, and which words of code only compute and print."""

from dataclasses import dataclass
from typing import Final

from extproc.core.inspection.shell.known.listing import listed

__all__ = ["EDITORS", "INTERPRETERS", "PLAIN_WORDS", "SHELLS", "Interpreter"]

SHELLS: Final = listed("sh bash dash ash ksh ksh93 mksh lksh rbash posh yash zsh")
"""Shells whose code is read here; what only zsh understands is refused by the parser or is admin."""
EDITORS: Final = listed("vi vim nvim view vimdiff rvim gvim ex emacs nano pico joe micro kak hx mcedit ee ed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """``inline`` options are followed by code, ``takes`` by another value; ``attached`` letters carry their own."""

    inline: tuple[str, ...]
    takes: tuple[str, ...] = ()
    attached: str = ""


_PYTHON: Final = Interpreter(inline=("-c",), takes=("-W", "-X", "-m", "-Q"), attached="mWX")
_PERL: Final = Interpreter(inline=("-e", "-E"), attached="MImxdFDCV0")
_NODE: Final = Interpreter(
    inline=("-e", "-p", "--eval", "--print", "-pe"), takes=("-r", "--require", "--import", "--loader", "-C")
)
_EVAL: Final = Interpreter(inline=("-e", "--eval", "-eval", "-E"))

INTERPRETERS: Final = {
    "python": _PYTHON,
    "pypy": _PYTHON,
    "ipython": _PYTHON,
    "jython": _PYTHON,
    "perl": _PERL,
    "raku": _EVAL,
    "ruby": Interpreter(inline=("-e",), takes=("-C", "-r"), attached="rIECWKF0"),
    "jruby": _EVAL,
    "irb": _EVAL,
    "node": _NODE,
    "nodejs": _NODE,
    "bun": Interpreter(inline=("-e", "--eval", "-p", "--print")),
    "deno": Interpreter(inline=("-e", "--eval")),
    "tsx": _NODE,
    "ts-node": _NODE,
    "php": Interpreter(inline=("-r", "-B", "-R", "-E"), takes=("-d", "-c", "-z", "-t", "-S"), attached="d"),
    "lua": _EVAL,
    "luajit": _EVAL,
    "Rscript": _EVAL,
    "R": _EVAL,
    "osascript": _EVAL,
    "julia": _EVAL,
    "groovy": _EVAL,
    "scala": _EVAL,
    "kotlin": _EVAL,
    "elixir": _EVAL,
    "iex": Interpreter(inline=("-e", "--eval"), takes=("--erl", "--name", "--sname", "--cookie", "-S", "-r")),
    "erl": _EVAL,
    "guile": Interpreter(inline=("-c", "-e")),
    "racket": _EVAL,
    "scheme": _EVAL,
    "sbcl": _EVAL,
    "clisp": Interpreter(inline=("-x",)),
    "clojure": _EVAL,
    "clj": _EVAL,
    "bb": _EVAL,
    "octave": _EVAL,
    "matlab": Interpreter(inline=("-r", "-batch")),
    "swipl": Interpreter(inline=("-g", "-t")),
    "tclsh": Interpreter(inline=("-c",)),
    "wish": Interpreter(inline=("-c",)),
    "expect": Interpreter(inline=("-c",)),
    "ghc": Interpreter(inline=("-e",)),
    "crystal": Interpreter(inline=("eval",)),
    "nim": Interpreter(inline=("--eval",)),
    "fish": Interpreter(inline=("-c", "-C", "--command", "--init-command")),
    "csh": Interpreter(inline=("-c",)),
    "tcsh": Interpreter(inline=("-c",)),
    "rc": Interpreter(inline=("-c",)),
    "es": Interpreter(inline=("-c",)),
    "elvish": Interpreter(inline=("-c",)),
    "nu": Interpreter(inline=("-c", "--commands")),
    "xonsh": Interpreter(inline=("-c",)),
    "osh": Interpreter(inline=("-c",)),
    "pwsh": Interpreter(inline=("-Command", "-c", "-EncodedCommand", "-enc", "-e", "-ec")),
    "powershell": Interpreter(inline=("-Command", "-c", "-EncodedCommand", "-enc", "-e", "-ec")),
    "gdb": Interpreter(inline=("-ex", "--eval-command", "-iex")),
    "lldb": Interpreter(inline=("-o", "--one-line", "-O")),
}

PLAIN_WORDS: Final = listed(
    "print println printf puts echo say p pp console log warn error write stdout stderr stdin sys io "
    "end sep len length size count sum min max abs round sorted sort reverse reversed range enumerate "
    "zip map filter join split strip replace upper lower title format repr str int float bool list "
    "dict set tuple bytes hex oct bin ord chr json loads dumps load dump parse stringify indent JSON "
    "keys values items get first last math pi sqrt floor ceil pow Math PI datetime date now today "
    "time isoformat strftime random version versions import from as for in of if else elif then end "
    "do while not and or is None True False null true false nil undefined lambda let const var my our "
    "return def process platform arch read readline readlines"
)
"""Words that can neither start a program, nor write a file, nor reach other words by a name made at run time."""
