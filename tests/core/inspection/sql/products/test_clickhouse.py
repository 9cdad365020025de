from extproc.core.inspection.sql.products.clickhouse import NAMES


def test_clickhouse_varies_the_names_of_its_functions():
    assert {"sumif", "uniqmerge", "quantilestate", "toint32ornull", "tofloat64orzero"} <= NAMES
    assert not {"merge", "orzero", "remotesecure", "s3cluster"} & NAMES
