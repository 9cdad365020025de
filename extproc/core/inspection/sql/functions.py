"""Functions that compute and do nothing else, by the names that databases give them.

An allow-list: what is not here may write, read files, run text, reach the network or wait, so a call of it is
administrative. A name is here only if it is harmless in every dialect that has it. Sources: the function references of
PostgreSQL 17, MySQL 8.4, SQLite 3.46, SQL Server 2022, Oracle 23ai, BigQuery, Snowflake, ClickHouse, DuckDB, Redshift,
Spark and Trino. Left out on purpose, though they only read: what reads a table or a file by a name in a text (``glob``,
``dictGet``, ``result_scan``), and what reads XML with entities (``xmltype``).
"""

from typing import Final

from extproc.core.inspection.sql.product_functions import OF_PRODUCTS

__all__ = ["ADVANCING", "HARMLESS"]

_AGGREGATES = """
agg any any_value approx_count_distinct approx_distinct approx_percentile approx_quantile approx_quantiles
approx_top_k approx_top_count approx_top_sum arg_max arg_min argmax argmin array_agg array_concat_agg arrayagg avg
avgif bit_and bit_or bit_xor bool_and bool_or boolor_agg booland_agg checksum_agg collect_list collect_set corr count
count_big count_if countif covar_pop covar_samp every first first_value group_array grouparray group_concat grouping
grouping_id groupuniqarray histogram json_agg json_arrayagg json_group_array json_group_object json_object_agg
json_objectagg jsonb_agg jsonb_object_agg kurtosis last last_value list listagg logical_and logical_or map_agg max
max_by maxif median min min_by minif mode ntile nth_value object_agg percent_rank percentile percentile_approx
percentile_cont percentile_disc quantile quantileexact quantiles range_agg range_intersect_agg regr_avgx regr_avgy
regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness stddev stddev_pop stddev_samp stdev
stdevp string_agg sum sumif total uniq uniqexact var var_pop var_samp variance varp wm_concat xmlagg cume_dist
dense_rank lag lead rank row_number ratio_to_report width_bucket
"""
_CONDITIONS = """
and case cast coalesce convert decode equal_null exists filter greatest if ifnull iff iif isnull isnotnull least
multiif nanvl not nullif nullifzero nvl nvl2 or safe_cast try_cast try_convert tryif typeof xor zeroifnull
"""
_NUMBERS = """
abs acos acosh asin asinh atan atan2 atanh cbrt ceil ceiling cos cosh cot crc32 degrees div erf erfc exp factorial
floor gcd is_inf is_nan isfinite isinf isnan lcm ln log log10 log1p log2 min_scale mod negative pi pmod pow power quot
radians rand random random_normal rint round safe_add safe_divide safe_multiply safe_negate safe_subtract scale sign
signum sin sinh sqrt square tan tanh to_decimal to_double to_number tonumber touint32 toint32 toint64 tofloat64
trim_scale trunc truncate try_to_number bitand bitor bitxor bit_count getbit get_bit set_bit shiftleft shiftright
uniform normal
"""
_TEXTS = """
ascii base64 base64_encode bin bit_length btrim char char_length character_length charindex chr codepoint concat
concat_ws contains convert_from convert_to difference edit_distance editdist3 elt encode ends_with endswith field
find_in_set format format_number from_base64 get_byte hex initcap instr jaro_winkler jarowinkler_similarity lcase
left len length levenshtein levenshtein_distance like locate lower lpad ltrim make_set md5 mid ngrams normalize
octet_length oct overlay parse_ident patindex position printf quote quote_ident quote_literal quote_nullable quotename
regexp_contains regexp_count regexp_extract regexp_extract_all regexp_instr regexp_like regexp_match regexp_matches
regexp_replace regexp_split regexp_split_to_array regexp_split_to_table regexp_substr repeat replace replicate reverse
right rlike rpad rtrim sha sha1 sha2 sha224 sha256 sha384 sha512 similarity soundex space split split_part splitbychar
splitbystring starts_with startswith str str_position strcmp string_escape string_split string_to_array
string_to_table strip stripos strpos strtok stuff substr substring substring_index to_base64 to_hex tostring translate
trim ucase unaccent unhex unicode unistr unicode_char upper utf8 weight_string word_similarity zeroblob
"""
_TIMES = """
add_months adddate addtime age at_timezone clock_timestamp convert_timezone convert_tz curdate current_date
current_datetime current_time current_timestamp curtime date date_add date_bin date_diff date_format date_from_parts
date_part date_parse date_sub date_trunc dateadd datediff datediff_big datefromparts datename datepart datetime
datetime_add datetime_diff datetime_sub datetime_trunc datetime2fromparts datetimefromparts datetrunc day dayname
dayofmonth dayofweek dayofyear eomonth epoch epoch_ms extract format_date format_datetime format_timestamp
formatdatetime from_days from_iso8601_date from_iso8601_timestamp from_unixtime from_utc_timestamp get_format getdate
getutcdate hour isdate isodow julianday justify_days justify_hours justify_interval last_day localtime localtimestamp
make_date make_interval make_time make_timestamp make_timestamptz makedate maketime microsecond millisecond minute
month monthname months_between new_time next_day now numtodsinterval numtoyminterval parse_date parse_datetime
parse_timestamp parsedatetime period_add period_diff previous_day quarter sec_to_time second statement_timestamp
str_to_date strftime strptime subdate subtime switchoffset sysdate sysdatetime sysdatetimeoffset systimestamp
sysutcdatetime time time_bucket time_format time_slice time_to_sec timediff timefromparts timeofday timestamp
timestamp_add timestamp_diff timestamp_micros timestamp_millis timestamp_seconds timestamp_sub timestamp_trunc
timestampadd timestampdiff timezone to_char to_date to_days to_seconds to_timestamp to_timestamp_ltz to_timestamp_ntz
to_timestamp_tz to_unixtime to_utc_timestamp todate todatetime todatetimeoffset today todayofweek tomonth tostartofday
tostartofhour tostartofinterval tostartofminute tostartofmonth tostartofweek tostartofyear totimestamp toyear toyyyymm
toyyyymmdd transaction_timestamp try_to_date try_to_timestamp unix_date unix_micros unix_millis unix_seconds
unix_timestamp unixepoch utc_date utc_time utc_timestamp week weekday weekofyear year yearofweek yearweek yesterday
"""
_STRUCTURES = """
array array_append array_cat array_ceil array_compact array_concat array_contains array_dims array_distinct
array_except array_fill array_filter array_first array_has array_insert array_intersect array_join array_last
array_length array_lower array_max array_min array_ndims array_overlap array_overlaps array_position array_positions
array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_size array_slice array_sort
array_sum array_to_json array_to_string array_transform array_union array_upper arrayjoin arraymap arrayfilter
arrays_overlap arrays_zip cardinality element_at explode explode_outer flatten forall generate_array
generate_date_array generate_series generate_subscripts generate_timestamp_array get_json_object get_path has hasall
hasany hstore inline is_array isjson json json_array json_array_append json_array_contains json_array_elements
json_array_elements_text json_array_insert json_array_length json_build_array json_build_object json_contains
json_contains_path json_depth json_each json_each_text json_exists json_extract json_extract_array json_extract_path
json_extract_path_text json_extract_scalar json_extract_string json_format json_insert json_keys json_length
json_merge_patch json_merge_preserve json_modify json_object json_object_keys json_overlaps json_parse json_patch
json_path_exists json_pretty json_query json_quote json_remove json_replace json_scalar json_search json_serialize
json_set json_strip_nulls json_table json_to_record json_to_recordset json_tree json_tuple json_type json_typeof
json_unquote json_valid json_value jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
jsonb_build_object jsonb_each jsonb_each_text jsonb_exists jsonb_extract_path jsonb_extract_path_text jsonb_insert
jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array
jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof
jsonextractstring jsonextractint json_populate_record jsonb_populate_record list_contains list_value lower_inc
lower_inf map map_concat map_contains_key map_entries map_filter map_from_arrays map_from_entries map_keys map_values
mapkeys mapvalues named_struct object_agg object_construct object_delete object_insert object_keys openjson parse_json
posexplode posexplode_outer range_merge reduce row row_to_json sequence size slice sort_array stack struct
struct_extract struct_pack to_array to_json to_json_string to_jsonb to_object to_variant transform_keys
transform_values try_parse_json tuple unnest upper_inc upper_inf values variant_get xmlattributes xmlconcat xmlelement
xmlforest zip_with inet_aton inet_ntoa inet6_aton inet6_ntoa hostmask masklen netmask network family broadcast abbrev
st_area st_asgeojson st_astext st_buffer st_centroid st_contains st_covers st_distance st_dwithin st_geogfromtext
st_geogpoint st_geomfromtext st_intersection st_intersects st_length st_makepoint st_point st_setsrid st_transform
st_within st_x st_y point box circle polygon path lseg line
"""
_CATALOGUE = """
foreign_key_list index_info index_list index_xinfo pragma_foreign_key_list pragma_index_info pragma_index_list
pragma_table_info pragma_table_list pragma_table_xinfo table_info table_xinfo
"""
_SEARCH = """
bm25 headline highlight match match_against phraseto_tsquery plainto_tsquery setweight snippet to_tsquery to_tsvector
ts_headline ts_rank ts_rank_cd tsvector_to_array websearch_to_tsquery querytree freetext cosine_distance
cosine_similarity euclidean_distance inner_product l1_distance l2_distance manhattan_distance vector_dims vector_norm
dot_product
"""
_ABOUT = """
app_name col_description collation columnproperty connection_id current_catalog current_database current_role
current_schema current_schemas current_user current_version database databasepropertyex db_id db_name enum_first
enum_last enum_range found_rows format_type gen_random_uuid generate_uuid generateuuidv4 has_any_column_privilege
has_column_privilege has_database_privilege has_function_privilege has_schema_privilege has_table_privilege host_name
ident_current is_member is_srvrolemember isnumeric last_insert_id last_insert_rowid changes total_changes newid
newsequentialid obj_description object_definition object_id object_name object_schema_name objectproperty
original_login parsename pg_backend_pid pg_collation_for pg_column_size pg_conf_load_time pg_database_size
pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments
pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef pg_get_partkeydef
pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_index_size
pg_indexes_size pg_is_in_recovery pg_my_temp_schema pg_postmaster_start_time pg_relation_size pg_size_bytes
pg_size_pretty pg_table_is_visible pg_table_size pg_tablespace_size pg_total_relation_size pg_type_is_visible
pg_typeof row_count rowcount schema schema_id schema_name scope_identity serverproperty session_user shobj_description
sqlite_version suser_name suser_sname sys_context system_user to_regclass to_regnamespace to_regproc to_regrole
to_regtype txid_current_if_assigned type_id type_name user user_id user_name userenv uuid uuid_generate_v4 uuid_string
uuidv4 uuidv7 version xact_state checksum binary_checksum farm_fingerprint fingerprint hash hashbytes cityhash64
siphash64 xxhash64 murmurhash3_32 ora_hash ntext compress uncompressed_length
"""

_GROUPS = (_AGGREGATES, _CONDITIONS, _NUMBERS, _TEXTS, _TIMES, _STRUCTURES, _CATALOGUE, _SEARCH, _ABOUT)

HARMLESS: Final = OF_PRODUCTS.union(name for group in _GROUPS for name in group.split())

ADVANCING: Final = frozenset({"nextval", "setval", "next_value_for"})
"""Functions that move a sequence on, which is a change and no more."""
