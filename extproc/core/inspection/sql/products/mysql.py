"""Functions of MySQL 9 and of MariaDB 11 that only compute.

Source: the reference manual, "Built-In Function and Operator Reference", and the same of MariaDB.
"""

from typing import Final

__all__ = ["NAMES", "NOT_MARIADB", "ONLY_MARIADB", "TYPES"]

_NAMES: Final = """
adddate addtime against any_value ascii atan2 bin bin_to_uuid bit_and bit_count bit_length bit_or bit_xor ceil ceiling
char char_length character_length charset coercibility collation compress concat_ws connection_id conv convert
convert_tz cot crc32 curdate current_role current_time current_user curtime database date date_add date_format
date_sub datediff day dayname dayofmonth dayofweek dayofyear degrees elt export_set extract field find_in_set format
format_bytes format_pico_time found_rows from_base64 from_days from_unixtime geometrycollection get_format greatest
group_concat grouping hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa instr is_ipv4 is_ipv4_compat
is_ipv4_mapped is_ipv6 is_uuid isnull json_array json_array_append json_array_insert json_arrayagg json_contains
json_contains_path json_depth json_extract json_insert json_keys json_length json_merge_patch json_merge_preserve
json_object json_objectagg json_overlaps json_pretty json_quote json_remove json_replace json_schema_valid
json_schema_validation_report json_search json_set json_storage_free json_storage_size json_table json_type
json_unquote json_valid json_value last_day last_insert_id lcase least left length like linestring ln localtime
localtimestamp locate log10 log2 lpad make_set makedate maketime match mbrcontains mbrcoveredby mbrdisjoint mbrequals
mbrintersects mbroverlaps mbrtouches mbrwithin md5 microsecond mid minute mod month monthname multilinestring
multipoint multipolygon now nth_value oct octet_length ord period_add period_diff pi point polygon position pow power
quarter quote radians rand regexp_instr regexp_like regexp_replace regexp_substr repeat reverse right row row_count
rpad schema sec_to_time second session_user sha sha1 sha2 soundex space st_area st_asbinary st_asgeojson st_astext
st_aswkb st_aswkt st_buffer st_centroid st_collect st_contains st_convexhull st_crosses st_difference st_dimension
st_disjoint st_distance st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring st_geohash
st_geometryfromtext st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_interiorringn
st_intersection st_intersects st_isclosed st_isempty st_issimple st_isvalid st_latfromgeohash st_length
st_lineinterpolatepoint st_makeenvelope st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromtext
st_pointn st_polygonfromtext st_simplify st_srid st_startpoint st_swapxy st_symdifference st_touches st_transform
st_union st_within st_x st_y statement_digest std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr
substring substring_index subtime sysdate system_user time time_format time_to_sec timediff timestamp timestampadd
timestampdiff to_base64 to_days to_seconds truncate ucase uncompressed_length unhex unix_timestamp user utc_date
utc_time utc_timestamp uuid uuid_to_bin values var_pop var_samp variance version week weekday weekofyear weight_string
xor year yearweek
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
bigint binary bit blob bool boolean char character datetime dec decimal double enum fixed float int integer mediumint
nchar numeric nvarchar real signed smallint text tinyint unsigned varbinary varchar varying vector
"""
TYPES: Final = frozenset(_TYPES.split())

_ONLY_MARIADB: Final = """
add_months chr crc32c json_compact json_detailed json_equals json_exists json_loose json_normalize json_query lastval
lengthb median natural_sort_key nvl nvl2 percentile_cont percentile_disc sformat st_boundary st_isring
st_pointonsurface st_relate sys_guid to_char
"""
ONLY_MARIADB: Final = frozenset(_ONLY_MARIADB.split())

_NOT_MARIADB: Final = """
any_value bin_to_uuid grouping is_uuid json_storage_free json_storage_size regexp_like statement_digest uuid_to_bin
"""
NOT_MARIADB: Final = frozenset(_NOT_MARIADB.split())
