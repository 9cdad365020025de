"""Functions of SQLite 3.50 that only compute, with those of FTS5 and the pragmas that only tell.

Source: its function reference, and ``pragma_function_list``.
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
acosh asinh atan2 atanh bm25 ceil ceiling changes char concat_ws cosh current_time date datetime degrees
foreign_key_list format generate_series group_concat hex highlight if ifnull iif index_info index_list index_xinfo
instr json json_array json_array_length json_each json_error_position json_extract json_group_array json_group_object
json_insert json_object json_patch json_pretty json_quote json_remove json_replace json_set json_tree json_type
json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array jsonb_group_object jsonb_patch jsonb_remove
jsonb_replace jsonb_tree julianday last_insert_rowid length like likelihood likely ln log10 log2 match median mod
nth_value octet_length percentile percentile_cont percentile_disc pi pow power pragma_foreign_key_list
pragma_index_info pragma_index_list pragma_table_info pragma_table_list pragma_table_xinfo printf quote radians random
row sinh snippet soundex sqlite_version strftime string_agg substr substring table_info table_xinfo tanh time timediff
total total_changes trunc typeof unhex unicode unistr unistr_quote unixepoch unlikely zeroblob
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bigint blob char character decimal double float int integer nchar numeric nvarchar real text varchar varying
"""
TYPES: Final = frozenset(_TYPES.split())
