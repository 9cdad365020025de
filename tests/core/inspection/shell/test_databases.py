import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "command",
    [
        "psql -c 'DROP TABLE a'",
        "psql -d a -c 'TRUNCATE b'",
        "psql --command='delete from a'",
        "mysql -u root -e 'DELETE FROM a'",
        "mysql -e 'update a set b=1; select 1'",
        "sqlite3 a.db 'drop table b'",
        "sqlite3 -cmd 'drop table b' a.db",
        "psql <<E\nDROP TABLE a\nE",
        "mysql <<< 'drop database a'",
        "clickhouse-client --query 'truncate table a'",
    ],
)
def test_sql_that_destroys_or_reaches_every_row_is_a_finding(command):
    (finding,) = inspect_shell(command).findings
    assert finding.endswith("that destroys or reaches every row")


@pytest.mark.parametrize(
    "command",
    [
        "psql -c '\\! ls'",
        "sqlite3 a.db '.shell ls'",
        "sqlite3 a.db '.system ls'",
        "mysql -e 'system ls'",
        "psql -c '\\g | ls'",
    ],
)
def test_a_shell_out_of_a_client_is_a_finding(command):
    assert inspect_shell(command).findings[0].startswith("a shell out of")


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("psql -c 'SELECT 1'", Verb.QUERY),
        ("psql -c '\\d a'", Verb.QUERY),
        ("psql -c 'select count(*) from a where b = 1; show c'", Verb.QUERY),
        ("mysql -e 'show tables' a", Verb.QUERY),
        ("sqlite3 a.db 'select max(b) from c;'", Verb.QUERY),
        ("psql -c 'select a() from b'", Verb.ADMIN),
        ("psql -c 'select 1 into a'", Verb.ADMIN),
        ("psql -c 'insert into a values (1)'", Verb.ADMIN),
        ("psql -c 'delete from a where b = 1'", Verb.ADMIN),
        ("psql -c 'explain a'", Verb.ADMIN),
        ('psql -c "select $x"', Verb.ADMIN),
        ("psql -f a", Verb.ADMIN),
        ("psql a", Verb.ADMIN),
        ("cat a | mysql", Verb.ADMIN),
        ("sqlite3 a.db", Verb.ADMIN),
        ("mongosh --eval 'db.a.find({}).limit(5)'", Verb.QUERY),
        ("mongosh --eval 'show dbs'", Verb.QUERY),
    ],
)
def test_sql_that_surely_reads_is_a_query_and_the_rest_is_admin(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())


def test_code_of_a_document_store_is_a_finding_unless_it_surely_reads():
    assert inspect_shell("mongosh --eval 'db.dropDatabase()'").findings == ("a change or code through mongosh",)


def test_only_a_file_is_no_network():
    assert not inspect_shell("sqlite3 a.db 'select 1'").network
    assert inspect_shell("psql -c 'select 1'").network
