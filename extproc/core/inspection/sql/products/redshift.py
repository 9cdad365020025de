"""Functions of Amazon Redshift that only compute.

Source: the Database Developer Guide, "SQL functions reference".
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
add_months age any_value array array_concat array_flatten array_lower array_to_string array_upper ascii atan2 bit_and
bit_or bool_and bool_or bpcharcmp btrim bttext_pattern_cmp cbrt ceil ceiling char_length character_length charindex
checksum chr col_description collate convert convert_timezone cot crc32 current_database current_schema
current_schemas current_setting current_time current_user current_user_id date date_add date_cmp date_cmp_timestamp
date_cmp_timestamptz date_diff date_part date_part_year date_trunc dateadd datediff datepart decode degrees dexp
difference dlog1 dlog10 encode extract farmfingerprint64 fnv_hash format_type from_hex from_varbyte func_sha1
generate_series get_array_length get_bit get_byte getbit getdate greatest h3_boundary h3_center has_column_privilege
has_database_privilege has_schema_privilege has_table_privilege hll hll_cardinality hll_combine hll_create_sketch
initcap interval_cmp is_array is_bigint is_boolean is_char is_decimal is_float is_integer is_object is_scalar
is_smallint is_valid_json is_valid_json_array is_varchar isnull json_array_length json_extract_array_element_text
json_extract_path_text json_parse json_serialize json_size json_typeof last_day least left len length like listagg ln
localtime localtimestamp lower_attribute_names lpad md5 median mod months_between murmur3_32_hash next_day now
nth_value nvl nvl2 obj_description object object_transform octet_length octetindex percentile_cont percentile_disc
pg_backend_pid pg_get_userbyid pg_get_viewdef pg_table_is_visible pi position pow power quote_ident quote_literal
radians random ratio_to_report regexp_count regexp_instr regexp_replace regexp_substr repeat replicate reverse right
rpad session_user set_bit sha sha1 sha2 size soundex split_part split_to_array st_addpoint st_area st_asbinary
st_asewkb st_asewkt st_asgeojson st_astext st_azimuth st_boundary st_buffer st_centroid st_collect st_contains
st_convexhull st_coveredby st_covers st_crosses st_dimension st_disjoint st_distance st_distancesphere st_dwithin
st_endpoint st_envelope st_equals st_exteriorring st_force2d st_geogfromtext st_geogfromwkb st_geohash st_geometryn
st_geometrytype st_geomfromewkb st_geomfromewkt st_geomfromgeojson st_geomfromtext st_geomfromwkb st_interiorringn
st_intersection st_intersects st_isclosed st_iscollection st_isempty st_isring st_issimple st_isvalid st_length
st_length2d st_lineinterpolatepoint st_m st_makeenvelope st_makeline st_makepoint st_makepolygon st_multi st_npoints
st_numgeometries st_numinteriorrings st_numpoints st_perimeter st_point st_pointn st_polygon st_reverse st_setpoint
st_setsrid st_simplify st_srid st_startpoint st_touches st_transform st_union st_within st_x st_xmax st_xmin st_y
st_ymax st_ymin st_z stddev stddev_pop stddev_samp strpos strtol subarray substr substring sysdate text_to_int_alt
text_to_numeric_alt textlen timeofday timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz timezone to_ascii
to_char to_date to_hex to_number to_timestamp to_varbyte translate trunc try_cast upper_attribute_names user var_pop
var_samp variance version
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bpchar char character dec decimal float nchar numeric nvarchar text timestamptz timetz varbinary varbyte varchar
varying
"""
TYPES: Final = frozenset(_TYPES.split())
