import sqlglot
from sqlglot import exp

from extproc.core.inspection.sql.nodes import Nodes


def test_nodes_are_given_by_kind_in_the_order_of_the_walk():
    tree = sqlglot.parse_one("SELECT a, b FROM t JOIN (SELECT c FROM u) x ON a = c")
    nodes = Nodes(tree)
    assert nodes.root is tree
    assert [table.name for table in nodes.of(exp.Table)] == ["t", "u"]
    assert nodes.of(exp.Column, exp.Table) == list(tree.find_all(exp.Column, exp.Table))
    assert nodes.of(exp.Query) == list(tree.find_all(exp.Query))
    assert nodes.of(exp.Drop) == []
