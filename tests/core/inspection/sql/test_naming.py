import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.inspection.sql.naming import name_of


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["Sales", "Orders"], "sales.orders"),
        (["sales.orders"], '"sales.orders"'),
        (["a b", "", "c$1"], '"a b".c$1'),
        (['a"b\x1b\u202e'], '"a?b??"'),
        (["x" * 500], "x" * 128),
    ],
)
def test_a_name_is_lower_case_and_what_is_no_plain_word_is_quoted(parts, name):
    assert name_of(parts) == name


def test_columns_are_qualified_as_written():
    text = 'SELECT *, t.*, a, t.b, s.t.c, "odd one" FROM s.t'
    assert set(inspect_sql(text, "postgres").columns) == {"*", "t.*", "a", "t.b", "s.t.c", '"odd one"'}
    assert inspect_sql("SELECT count(*) FROM t", "postgres").columns == ()
    assert inspect_sql("INSERT INTO t (a, b) VALUES (1, 2)", "postgres").columns == ("a", "b")
