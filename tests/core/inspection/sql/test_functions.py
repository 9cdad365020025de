import pytest

from extproc.core.inspection.sql.functions import ADVANCING, HARMLESS

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
    assert not HARMLESS & set(HARMFUL)
    assert not HARMLESS & ADVANCING


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_name_is_a_plain_lower_case_word(name):
    space, dot, plain = name.rpartition(".")
    assert plain.isidentifier()
    assert not dot or space in {"hll_count", "net", "safe"}  # of BigQuery
    assert name == name.lower()
