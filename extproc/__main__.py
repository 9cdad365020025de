"""``python -m extproc`` is the command line."""

from extproc.cli import main

main()
