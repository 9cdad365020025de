import pytest

from extproc.core.access import DIALECTS
from extproc.core.inspection.sql.functions import ANY, CATALOGUES, unknown_of

# what writes, reads files, runs text, reaches out, waits, or changes the session, in one database or another
HARMFUL = [
    "benchmark",
    "copy",
    "dblink",
    "dblink_exec",
    "dictget",
    "dbms_scheduler",
    "eval",
    "eval_js",
    "exec",
    "external_query",
    "file",
    "file_read",
    "get_lock",
    "glob",
    "glob_files",
    "http_get",
    "http_post",
    "hdfs",
    "jdbc",
    "kill",
    "load_extension",
    "load_file",
    "lo_export",
    "lo_import",
    "lo_unlink",
    "mysql",
    "nextval",
    "odbc",
    "opendatasource",
    "openquery",
    "openrowset",
    "parquet_scan",
    "pg_advisory_lock",
    "pg_cancel_backend",
    "pg_execute_server_program",
    "pg_ls_dir",
    "pg_notify",
    "pg_promote",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_sleep",
    "pg_stat_file",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_write_file",
    "postgresql",
    "query_to_xml",
    "read_blob",
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_parquet",
    "read_text",
    "readfile",
    "reflect",
    "remote",
    "result_scan",
    "s3",
    "set_config",
    "setval",
    "shell",
    "sleep",
    "sqlite_scan",
    "sys_eval",
    "sys_exec",
    "table_to_xml",
    "ts_stat",
    "sys_get",
    "url",
    "utl_http",
    "writefile",
    "xmltype",
    "xp_cmdshell",
    "xpath_table",
]


def test_nothing_that_does_more_than_compute_is_taken_for_harmless():
    assert not ANY.harmless & set(HARMFUL)
    assert not ANY.harmless & ANY.advancing


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_name_is_a_plain_lower_case_word(dialect):
    catalogue = CATALOGUES[dialect]
    for name in catalogue.harmless | catalogue.types:
        space, dot, plain = name.rpartition(".")
        assert plain.isidentifier()
        assert not dot or (dialect, space) in {("bigquery", "hll_count"), ("bigquery", "net"), ("bigquery", "safe")}
        assert name == name.lower()


# name, who has it built in; anywhere else it may be a function of the user's own
BUILT_IN = [
    ("abs", DIALECTS),
    ("list_value", ("duckdb",)),
    ("iff", ("snowflake", "databricks")),
    ("to_varchar", ("snowflake", "databricks", "spark")),
    ("pg_get_viewdef", ("postgres", "redshift", "duckdb")),
    ("date_format", ("mysql", "mariadb", "clickhouse", "databricks", "spark", "trino")),
    ("string_agg", ("postgres", "tsql", "bigquery", "sqlite", "clickhouse", "duckdb", "databricks", "spark")),
    ("median", ("oracle", "snowflake", "redshift", "duckdb", "clickhouse", "databricks", "spark", "mariadb", "sqlite")),
    ("bin_to_uuid", ("mysql",)),
    ("nvl2", ("oracle", "snowflake", "redshift", "databricks", "spark", "mariadb")),
    ("charindex", ("tsql", "snowflake", "redshift", "databricks")),
    ("net.host", ("bigquery",)),
    ("zip", ("trino",)),
    ("is_account_group_member", ("databricks",)),
]


@pytest.mark.parametrize(("name", "products"), BUILT_IN)
def test_a_function_is_harmless_to_the_products_that_have_it_built_in(name, products):
    assert {dialect for dialect in DIALECTS if not unknown_of([name], dialect)} == set(products)
    assert not unknown_of([name], None)


def test_only_products_with_sequences_move_one_on():
    assert {dialect for dialect in DIALECTS if not unknown_of(["nextval"], dialect)} == {
        "postgres",
        "mariadb",
        "duckdb",
    }


def test_without_a_dialect_one_product_must_have_all_that_is_called():
    assert unknown_of(["list_value", "lower"], None) == set()
    assert unknown_of(["list_value", "bin_to_uuid", "lower"], None) in ({"list_value"}, {"bin_to_uuid"})
    assert unknown_of(["lower", "my_function"], None) == {"my_function"}
