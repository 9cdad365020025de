"""Functions of SQL Server 2025 and Azure SQL that only compute.

Source: the Transact-SQL reference, "What are the SQL database functions?".
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
app_name approx_count_distinct approx_percentile_cont approx_percentile_disc ascii atn2 base64_decode base64_encode
binary_checksum bit_count ceiling char charindex checksum checksum_agg choose col_length col_name collate
columnproperty compress concat_ws contains context_info convert cot count_big current_timezone current_timezone_id
current_user databasepropertyex datalength date_bucket dateadd datediff datediff_big datefromparts datename datepart
datetime2fromparts datetimefromparts datetimeoffsetfromparts datetrunc day db_id db_name decompress degrees difference
edit_distance edit_distance_similarity eomonth error_line error_message error_number error_procedure error_severity
error_state format formatmessage freetext generate_series get_bit getdate getutcdate greatest grouping grouping_id
has_perms_by_name hashbytes host_name ident_current iif index index_col indexproperty is_member is_rolemember
is_srvrolemember isdate isjson isnull isnumeric jaro_winkler_distance jaro_winkler_similarity json_array json_arrayagg
json_contains json_modify json_object json_objectagg json_path_exists json_query json_value least left left_shift len
like log10 month nchar newid newsequentialid object_definition object_id object_name object_schema_name objectproperty
openjson original_login parse parsename path patindex percentile_cont percentile_disc pi power product quotename
radians rand raw regexp_count regexp_instr regexp_like regexp_matches regexp_replace regexp_split_to_table
regexp_substr replicate reverse right right_shift root rowcount_big schema_id schema_name scope_identity
serverproperty session_context session_user set_bit smalldatetimefromparts soundex space sql_variant_property square
stats_date stdev stdevp str string_agg string_escape string_split stuff substring suser_name suser_sname switchoffset
sysdatetime sysdatetimeoffset system_user sysutcdatetime timefromparts todatetimeoffset top translate try_cast
try_convert try_parse type_id type_name typeproperty unicode unistr user user_id user_name var varp vector_distance
vector_norm vector_normalize xact_state year
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bigint binary bit char character datetime2 datetimeoffset dec decimal float int integer nchar numeric nvarchar real
smallint time tinyint varbinary varchar varying vector
"""
TYPES: Final = frozenset(_TYPES.split())
