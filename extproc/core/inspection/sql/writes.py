"""Whether an UPDATE, DELETE or MERGE reaches every row of its table, as far as its text shows."""

from typing import Final

from sqlglot import exp

__all__ = ["is_always_true", "reaches_all"]

_DEEPEST: Final = 32


def reaches_all(statement: exp.Expr, ctes: dict[str, exp.Expr]) -> bool:
    """True without a condition, or with one that is always true; ``ctes`` are the common table expressions by name."""
    if isinstance(statement, exp.Merge):
        on = statement.args.get("on")
        return on is None or is_always_true(on) or any(_is_by_source(when) for when in statement.find_all(exp.When))
    where = statement.args.get("where")
    if where is not None:
        return is_always_true(where.this)
    target = statement.this
    behind = ctes.get(target.name.lower()) if isinstance(target, exp.Table) and not target.db else None
    narrowed = behind.args.get("where") if isinstance(behind, exp.Select) else None
    return narrowed is None or is_always_true(narrowed.this)


def _is_by_source(when: exp.When) -> bool:
    """``WHEN NOT MATCHED BY SOURCE`` without a condition changes all rows that the source does not name."""
    return bool(when.args.get("source")) and when.args.get("condition") is None


def is_always_true(condition: exp.Expr, depth: int = 0) -> bool:
    """Whether a condition holds for every row, as far as its text shows; a constant one counts as true."""
    if depth > _DEEPEST:
        return True
    match condition:
        case exp.Paren():
            return is_always_true(condition.this, depth + 1)
        case exp.Or():
            return is_always_true(condition.this, depth + 1) or is_always_true(condition.expression, depth + 1)
        case exp.And():
            return is_always_true(condition.this, depth + 1) and is_always_true(condition.expression, depth + 1)
        case exp.EQ() | exp.GTE() | exp.LTE() | exp.NullSafeEQ() if condition.this == condition.expression:
            return True
        case exp.Like() | exp.ILike() | exp.Glob():
            return condition.expression.name in {"%", "%%", "*"}
    return condition.find(exp.Column, exp.Query) is None
