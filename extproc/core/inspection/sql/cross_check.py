"""Words that begin a statement, held against the tree: what the parser took for a name may be a second statement.

SQL Server ends no statement with a semicolon: ``SELECT 1 DELETE FROM t`` is two, and sqlglot reads an alias. Everywhere
else a word of this kind must stand in the tree as a name.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlglot import TokenType, exp

from extproc.core.inspection.sql.lexing import Token, word_of
from extproc.core.inspection.sql.nodes import Nodes

__all__ = ["unaccounted"]

_STARTING_WORDS: Final = """
ALTER ANALYZE ATTACH BACKUP BULK CALL CHECKPOINT COMMENT COPY CREATE DBCC DECLARE DELETE DENY DETACH DISABLE DO DROP
ENABLE EXEC EXECUTE EXPORT GO GRANT HANDLER IMPORT INSERT INSTALL KILL LOAD LOCK MERGE OPTIMIZE PRAGMA PREPARE PRINT
PUT RAISERROR RECONFIGURE REFRESH REINDEX RENAME REPLACE RESTORE REVERT REVOKE SET SETUSER SHUTDOWN SYSTEM TRUNCATE
UPDATE UPSERT USE VACUUM WAITFOR WRITETEXT
"""
_STARTING: Final = frozenset(_STARTING_WORDS.split())
# SQL Server does not reserve these, and they begin nothing there, or need a semicolon before them
_NAMES_IN_TSQL_WORDS: Final = """
ANALYZE ATTACH CALL COMMENT COPY DETACH DO EXPORT HANDLER IMPORT INSTALL LOAD LOCK OPTIMIZE PRAGMA PREPARE PUT
REFRESH REINDEX RENAME REPLACE SYSTEM UPSERT VACUUM
"""
_NAMES_IN_TSQL: Final = frozenset(_NAMES_IN_TSQL_WORDS.split())
_BEFORE_A_CALL: Final = frozenset({"REPLACE", "INSERT", "TRUNCATE"})


def unaccounted(tokens: Sequence[Token], nodes: Nodes, *, writes: bool, semicolons: bool) -> list[str]:
    """The starting words that nothing in the tree explains; ``writes``: the statement itself is one of them."""
    found = [token for at, token in enumerate(tokens) if _starts(tokens, at)]
    if semicolons:
        if writes or not found:
            return []
        names = Counter(str(node.this).upper() for node in nodes.of(exp.Identifier) if not node.quoted)
        names.update(str(node.this).upper() for node in nodes.of(exp.Var))
        words = Counter(map(word_of, found))
        # the first word is the statement's own
        words[word_of(tokens[0])] -= 1
        return sorted(word for word, count in words.items() if count > names[word])
    words_here = [word_of(token) for token in found if word_of(token) not in _NAMES_IN_TSQL]
    if not writes:
        return words_here
    allowed = len(nodes.of(exp.When)) + 1 if isinstance(nodes.root, exp.Merge) else 1
    strong = [word for word in words_here if word != "SET"]
    return strong if len(strong) > allowed else []


def _starts(tokens: Sequence[Token], at: int) -> bool:
    word = word_of(tokens[at])
    if word not in _STARTING:
        return False
    before = tokens[at - 1] if at else None
    if before is not None and (word_of(before) == "FOR" or before.token_type in {TokenType.DOT, TokenType.PARAMETER}):
        return False
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    is_call = after is not None and after.token_type is TokenType.L_PAREN
    return not (is_call and word in _BEFORE_A_CALL)
