"""Functions of Trino that only compute, with those that Presto has beside them.

Source: the list of functions of Trino 480, and of Presto. Without ``merge`` and what learns and draws.
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
all_match any any_match any_value approx_distinct approx_most_frequent approx_percentile approx_set arbitrary array
array_agg array_distinct array_except array_first array_histogram array_intersect array_join array_last array_max
array_min array_position array_remove array_sort array_sum array_union arrays_overlap at_timezone atan2 bar beta_cdf
bing_tile bing_tile_at bing_tile_coordinates bing_tile_polygon bing_tile_quadkey bing_tile_zoom_level
bing_tiles_around bit_count bitwise_and bitwise_and_agg bitwise_left_shift bitwise_not bitwise_or bitwise_or_agg
bitwise_right_shift bitwise_right_shift_arithmetic bitwise_xor bitwise_xor_agg bool_and bool_or cardinality cbrt ceil
ceiling char2hexint checksum chr classifier codepoint combinations concat_ws contains contains_sequence
convex_hull_agg corr cosh cosine_distance cosine_similarity count_if covar_pop covar_samp crc32 current_catalog
current_groups current_path current_schema current_time current_timezone current_user date date_add date_diff
date_format date_parse date_trunc day day_of_month day_of_week day_of_year degrees dot_product dow doy e element_at
empty_approx_set euclidean_distance every extract filter first flatten format format_datetime format_number from_base
from_base32 from_base64 from_base64url from_big_endian_32 from_big_endian_64 from_geojson_geometry from_hex
from_ieee754_32 from_ieee754_64 from_iso8601_date from_iso8601_timestamp from_iso8601_timestamp_nanos from_unixtime
from_unixtime_nanos from_utf8 geometric_mean geometry_union geometry_union_agg great_circle_distance greatest
hamming_distance hash_counts histogram hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 hour human_readable_seconds if index
infinity intersection_cardinality inverse_beta_cdf inverse_normal_cdf is_finite is_infinite is_json_scalar is_nan
jaccard_index json json_array json_array_contains json_array_get json_array_length json_exists json_extract
json_extract_scalar json_format json_object json_parse json_query json_scalar json_serialize json_size json_table
json_value kurtosis last last_day_of_month least length levenshtein_distance listagg ln localtime localtimestamp log10
log2 lpad luhn_check map map_agg map_concat map_entries map_filter map_from_entries map_keys map_union map_values
map_zip_with match_number max_by md5 millisecond min_by minute mod month multimap_agg multimap_from_entries murmur3
nan ngrams none_match normal_cdf normalize now nth_value numeric_histogram objectid_timestamp parse_data_size
parse_datetime parse_duration permute pi position pow power prev qdigest_agg quarter radians rand random random_string
reduce reduce_agg regexp_count regexp_extract regexp_extract_all regexp_like regexp_position regexp_replace
regexp_split regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat
reverse row rpad second sequence session_user set_agg set_union sha1 sha256 sha512 shuffle simplify_geometry sinh
skewness slice soundex split split_part split_to_map split_to_multimap spooky_hash_v2_32 spooky_hash_v2_64 st_area
st_asbinary st_astext st_boundary st_buffer st_centroid st_contains st_convexhull st_coorddim st_crosses st_difference
st_dimension st_disjoint st_distance st_endpoint st_envelope st_envelopeaspts st_equals st_exteriorring st_geometries
st_geometryfromtext st_geometryn st_geometrytype st_geomfrombinary st_interiorringn st_interiorrings st_intersection
st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid st_length st_linefromtext st_linestring
st_multipoint st_numgeometries st_numinteriorring st_numpoints st_overlaps st_point st_pointn st_points st_polygon
st_relate st_startpoint st_symdifference st_touches st_union st_within st_x st_xmax st_xmin st_y st_ymax st_ymin
starts_with stddev stddev_pop stddev_samp strpos substr substring tanh tdigest_agg timezone timezone_hour
timezone_minute to_base to_base32 to_base64 to_base64url to_big_endian_32 to_big_endian_64 to_char to_date
to_geojson_geometry to_geometry to_hex to_ieee754_32 to_ieee754_64 to_iso8601 to_milliseconds to_spherical_geography
to_timestamp to_unixtime to_utf8 transform transform_keys transform_values translate trim_array truncate try try_cast
typeof unnest url_decode url_encode url_extract_fragment url_extract_host url_extract_parameter url_extract_path
url_extract_port url_extract_protocol url_extract_query user uuid value_at_quantile values_at_quantiles var_pop
var_samp variance version week week_of_year width_bucket wilson_interval_lower wilson_interval_upper with_timezone
word_stem xxhash64 year year_of_week yow zip zip_with
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
char dec decimal numeric time timestamp varchar
"""
TYPES: Final = frozenset(_TYPES.split())
