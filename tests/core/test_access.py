from extproc.core.access import Facts, ShellFacts, SqlFacts
from extproc.core.model import Verb

SQL = SqlFacts(verb=Verb.QUERY, parsed=True)
SHELL = ShellFacts(verb=Verb.QUERY, parsed=True)


def test_what_was_found_is_what_there_is():
    assert Facts().found == ()
    assert Facts(shell=SHELL).found == (SHELL,)
    assert Facts(sql=SQL, shell=SHELL).found == (SQL, SHELL)
