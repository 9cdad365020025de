"""Functions of DuckDB that only compute, with those of its extension spatial.

Source: ``duckdb_functions()`` of DuckDB 2.0, and its documentation. Without ``histogram``, which as a table function
reads a table by its name.
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
acosh age aggregate any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
arg_min arg_min_null argmax argmin array array_agg array_append array_cat array_concat array_contains
array_cosine_distance array_cosine_similarity array_cross_product array_distance array_distinct array_extract
array_filter array_has array_has_all array_has_any array_inner_product array_intersect array_length array_position
array_prepend array_reverse array_reverse_sort array_slice array_sort array_to_json array_to_string array_transform
array_value ascii asinh assert_true atan2 atanh bar base64 bin bit_and bit_count bit_length bit_or bit_position
bit_xor bitstring bitstring_agg bool_and bool_or cardinality cbrt ceil ceiling century char_length character_length
chr col_description collate columns concat_ws contains corr cosh cot count_if count_star countif covar_pop covar_samp
current_catalog current_database current_localtimestamp current_role current_schema current_schemas current_setting
current_time current_user damerau_levenshtein date_add date_diff date_part date_sub date_trunc datediff datepart
datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decode degrees divide editdist3
element_at encode ends_with entropy enum_first enum_last enum_range epoch epoch_ms epoch_ns epoch_us equi_width_bins
era even extract factorial favg fdiv filter first flatten fmod format format_bytes format_type
formatreadabledecimalsize formatreadablesize from_base64 from_hex from_json fsum gamma gcd gen_random_uuid
generate_series generate_subscripts geomean geometric_mean get_bit get_current_time greatest greatest_common_divisor
group_concat grouping grouping_id hamming has_any_column_privilege has_column_privilege has_database_privilege
has_function_privilege has_schema_privilege has_table_privilege hash hex hour hypot if ifnull inet_client_addr
inet_client_port inet_server_addr inet_server_port instr isfinite isinf isnan isnull isodow isoyear jaccard
jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains json_each json_exists
json_extract json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object
json_group_structure json_insert json_keys json_merge_patch json_object json_pretty json_quote json_remove
json_replace json_set json_strip_nulls json_structure json_transform json_tree json_type json_valid json_value julian
kahan_sum kurtosis last last_day lcase lcm least least_common_multiple left len length levenshtein lgamma list
list_aggr list_aggregate list_any_value list_append list_apply list_avg list_bool_and list_bool_or list_cat
list_concat list_contains list_cosine_distance list_cosine_similarity list_count list_distance list_distinct
list_dot_product list_element list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all
list_has_any list_histogram list_indexof list_inner_product list_intersect list_kurtosis list_last list_mad list_max
list_median list_min list_mode list_pack list_position list_prepend list_product list_reduce list_resize list_reverse
list_reverse_sort list_select list_skewness list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg
list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip listagg ln localtime
localtimestamp log10 log2 lpad mad make_date make_time make_timestamp make_timestamptz map map_concat map_contains
map_contains_entry map_contains_value map_entries map_extract map_from_entries map_keys map_values max_by md5
md5_number_lower64 mean median microsecond millennium millisecond min_by minute mismatches mod mode month monthname
multiply nanosecond nextafter nfc_normalize now nth_value obj_description octet_length ord overlay parse_dirname
parse_dirpath parse_filename parse_path pg_conf_load_time pg_function_is_visible pg_get_constraintdef pg_get_expr
pg_get_viewdef pg_has_role pg_my_temp_schema pg_postmaster_start_time pg_size_pretty pg_table_is_visible
pg_type_is_visible pg_typeof pi position pow power pragma_table_info prefix printf product quantile quantile_cont
quantile_disc quarter radians random range rank_dense reduce regexp_escape regexp_extract regexp_extract_all
regexp_full_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regr_avgx regr_avgy
regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat reservoir_quantile reverse right
round_even roundbankers row row_to_json rpad second sem session_user set_bit sha1 sha256 shobj_description signbit
sinh skewness split split_part st_area st_asbinary st_asgeojson st_asmvt st_asmvtgeom st_astext st_aswkb st_aswkt
st_boundary st_buffer st_centroid st_collect st_contains st_convexhull st_coveredby st_covers st_crosses st_difference
st_dimension st_disjoint st_distance st_distance_sphere st_dump st_dwithin st_endpoint st_envelope st_equals st_extent
st_exteriorring st_flipcoordinates st_force2d st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb
st_hausdorffdistance st_intersection st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid st_length
st_lineinterpolatepoint st_linelocatepoint st_linemerge st_linesubstring st_m st_makeenvelope st_makeline
st_makepolygon st_makevalid st_multi st_npoints st_numgeometries st_numinteriorrings st_numpoints st_overlaps
st_perimeter st_point st_pointn st_pointonsurface st_polygon st_reverse st_shortestline st_simplify
st_simplifypreservetopology st_startpoint st_symdifference st_touches st_transform st_union st_union_agg st_within
st_x st_xmax st_xmin st_y st_ymax st_ymin st_z starts_with stddev stddev_pop stddev_samp str_split str_split_regex
strftime string_agg string_split string_split_regex string_to_array strip_accents strlen strpos strptime struct
struct_concat struct_contains struct_extract struct_insert struct_keys struct_pack struct_values substr substring
suffix sumkahan table_info tanh time_bucket timezone timezone_hour timezone_minute to_base to_base64 to_binary
to_centuries to_days to_decades to_hex to_hours to_json to_microseconds to_milliseconds to_minutes to_months
to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp translate trunc try try_cast
try_strptime typeof ucase unbin unhex unicode union_extract union_tag union_value unnest url_decode url_encode user
uuid uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop var_samp variance variant_extract version wavg
week weekday weekofyear weighted_avg xor year yearweek
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bit bpchar char character dec decimal enum float numeric string text varchar varying
"""
TYPES: Final = frozenset(_TYPES.split())
