from extproc.core.inspection.sql.product_functions import OF_PRODUCTS


def test_clickhouse_varies_the_names_of_its_functions():
    assert {"sumif", "uniqmerge", "quantilestate", "toint32ornull", "tofloat64orzero"} <= OF_PRODUCTS
    assert not {"merge", "orzero", "if", "remotesecure", "s3cluster"} & OF_PRODUCTS
