"""Functions of Spark 4.2 that only compute, with those that Databricks has beside them.

Source: the Spark SQL reference, "Built-in Functions", and the Databricks SQL language reference, "Built-in functions".
"""

from typing import Final

__all__ = ["NAMES", "ONLY_DATABRICKS", "TYPES"]

_NAMES: Final = """
acosh add_months aggregate and any any_value approx_count_distinct approx_percentile approx_top_k array array_agg
array_append array_compact array_contains array_distinct array_except array_insert array_intersect array_join
array_max array_min array_position array_prepend array_remove array_repeat array_size array_sort array_union
arrays_overlap arrays_zip ascii asinh assert_true atan2 atanh base64 bin binary bit_and bit_count bit_get bit_length
bit_or bit_xor bitmap_and_agg bitmap_bit_position bitmap_bucket_number bitmap_construct_agg bitmap_count bitmap_or_agg
bool_and bool_or bround btrim cardinality cbrt ceil ceiling char char_length character_length chr collate collation
collect_list collect_set concat_ws contains conv convert_timezone corr cosh cot count_if count_min_sketch covar_pop
covar_samp crc32 csc curdate current_catalog current_database current_schema current_time current_timezone
current_user date date_add date_diff date_format date_from_unix_date date_part date_sub date_trunc dateadd datediff
datepart day dayname dayofmonth dayofweek dayofyear decode degrees div double e element_at elt encode endswith
equal_null every exists explode explode_outer expm1 extract factorial filter find_in_set first flatten float forall
format_number format_string from_csv from_json from_unixtime from_utc_timestamp get get_json_object getbit greatest
grouping grouping_id hash hex histogram_numeric hll_sketch_agg hll_sketch_estimate hll_union hll_union_agg hour hypot
if ifnull ilike initcap inline inline_outer input_file_block_length input_file_block_start input_file_name instr
is_valid_utf8 is_variant_null isnan isnotnull isnull json_array_length json_object_keys json_tuple kurtosis last
last_day lcase least left len length levenshtein like listagg ln localtimestamp locate log10 log1p log2 lpad
luhn_check make_date make_dt_interval make_interval make_time make_timestamp make_timestamp_ltz make_timestamp_ntz
make_ym_interval map map_concat map_contains_key map_entries map_filter map_from_arrays map_from_entries map_keys
map_values map_zip_with mask max_by md5 mean median min_by minute mod mode monotonically_increasing_id month monthname
months_between named_struct nanvl negative next_day not now nth_value nullifzero nvl nvl2 octet_length or overlay
parse_json parse_url percentile percentile_approx percentile_cont percentile_disc pi pmod posexplode posexplode_outer
position positive pow printf product quarter quote radians raise_error rand randn randstr range reduce regexp
regexp_count regexp_extract regexp_extract_all regexp_instr regexp_like regexp_replace regexp_substr regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat reverse right rint rlike row
rpad schema_of_csv schema_of_json schema_of_variant schema_of_variant_agg sec second sentences sequence session_user
session_window sha sha1 sha2 shiftleft shiftright shuffle signum sinh size skewness slice some sort_array soundex
space spark_partition_id split split_part st_asbinary st_geogfromwkb st_geomfromwkb st_setsrid st_srid stack
startswith std stddev stddev_pop stddev_samp str_to_map string_agg struct substr substring substring_index tanh
time_bucket time_diff time_trunc timestamp timestamp_add timestamp_diff timestamp_ltz timestamp_micros
timestamp_millis timestamp_ntz timestamp_seconds timestampadd timestampdiff to_binary to_char to_csv to_date to_json
to_number to_time to_timestamp to_timestamp_ltz to_timestamp_ntz to_unix_timestamp to_utc_timestamp to_varchar
to_variant_object transform transform_keys transform_values translate trunc try_add try_avg try_cast try_divide
try_element_at try_make_interval try_make_timestamp try_mod try_multiply try_parse_json try_subtract try_sum
try_to_binary try_to_date try_to_number try_to_time try_to_timestamp try_url_decode try_variant_get typeof ucase
unbase64 unhex uniform unix_date unix_micros unix_millis unix_seconds unix_timestamp unnest url_decode url_encode user
uuid values var_pop var_samp variance variant_get version weekday weekofyear width_bucket window window_time xxhash64
year zeroifnull zip_with
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bigint binary boolean char character dec decimal double float int numeric smallint string tinyint varchar
"""
TYPES: Final = frozenset(_TYPES.split())

_ONLY_DATABRICKS: Final = """
charindex current_metastore current_recipient getdate h3_boundaryasgeojson h3_boundaryaswkt h3_centeraswkt h3_distance
h3_h3tostring h3_kring h3_longlatash3 h3_longlatash3string h3_polyfillash3 h3_resolution h3_stringtoh3 h3_toparent iff
is_account_group_member is_member st_area st_asgeojson st_astext st_aswkb st_aswkt st_buffer st_centroid st_contains
st_convexhull st_covers st_difference st_dimension st_disjoint st_distance st_distancesphere st_dwithin st_endpoint
st_envelope st_equals st_geogfromgeojson st_geogfromtext st_geohash st_geometryn st_geometrytype st_geomfromgeojson
st_geomfromtext st_intersection st_intersects st_isempty st_isvalid st_length st_m st_makeline st_makepolygon st_multi
st_npoints st_numgeometries st_perimeter st_point st_pointn st_reverse st_simplify st_startpoint st_touches
st_transform st_translate st_union st_union_agg st_within st_x st_xmax st_xmin st_y st_ymax st_ymin st_z
vector_cosine_similarity vector_inner_product vector_l2_distance
"""
ONLY_DATABRICKS: Final = frozenset(_ONLY_DATABRICKS.split())
