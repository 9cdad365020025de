"""Functions that compute and do nothing else, of one product each: the rest of the allow-list of ``functions``."""

from typing import Final

__all__ = ["OF_PRODUCTS"]

_POSTGRES = """
akeys avals skeys svals each exist defined hstore_to_json hstore_to_jsonb current_setting daitch_mokotoff date_add
date_subtract digest dmetaphone dmetaphone_alt earth_distance ll_to_earth get_current_ts_config hmac host
inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr inet_server_port isempty
json_to_tsvector jsonb_delete jsonb_extract_path jsonb_path_exists_tz jsonb_path_query_tz jsonb_to_tsvector lastval
levenshtein_less_equal lgamma gamma macaddr8_set7bit metaphone multirange nlevel subpath subltree normal_rand
num_nonnulls num_nulls numnode overlaps pg_get_keywords pg_input_is_valid regexp_split_to_array row_security_active
set_masklen show_trgm strict_word_similarity text2ltree ltree2text to_ascii to_bin to_oct trim_array ts_delete
ts_filter ts_lexize tsvector_to_array array_to_tsvector acosd asind atand atan2d cosd cotd sind tand
uuid_extract_timestamp uuid_extract_version uuid_generate_v1 crc32c int4range int8range numrange tsrange tstzrange
daterange bit_xor
"""
_SPATIAL = """
st_addpoint st_asbinary st_asewkt st_asgeojson st_asmvt st_asmvtgeom st_astext st_aswkb st_aswkt st_azimuth
st_boundary st_bufferwithtolerance st_buildarea st_centroid st_clusterdbscan st_clusterkmeans st_clusterwithin
st_collect st_convexhull st_coveredby st_crosses st_curvetoline st_dimension st_difference st_disjoint
st_distance_sphere st_distancesphere st_distancespheroid st_dump st_dumppoints st_dumprings st_endpoint st_envelope
st_equals st_expand st_exteriorring st_extent st_flipcoordinates st_force2d st_geogfromgeojson st_geogfromwkb
st_geographyfromtext st_geohash st_geometryfromtext st_geometryn st_geometrytype st_geomfromewkt st_geomfromgeojson
st_geomfromwkb st_hausdorffdistance st_interiorringn st_isclosed st_iscollection st_isempty st_isring st_issimple
st_isvalid st_isvalidreason st_latfromgeohash st_length2d st_lineinterpolatepoint st_linelocatepoint st_linemerge
st_linesubstring st_m st_makeenvelope st_makeline st_makepolygon st_makevalid st_maxdistance st_multi st_npoints
st_numgeometries st_numinteriorrings st_numpoints st_orderingequals st_overlaps st_perimeter st_pointfromtext
st_pointn st_pointonsurface st_polygon st_polygonfromtext st_project st_reverse st_setpoint st_shortestline
st_simplify st_simplifypreservetopology st_snap st_snaptogrid st_split st_srid st_startpoint st_subdivide st_swapxy
st_symdifference st_touches st_translate st_unaryunion st_union st_union_agg st_voronoipolygons st_xmax st_xmin
st_ymax st_ymin st_z great_circle_distance greatcircledistance geodistance haversine mbrcontains mbrcoveredby
mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin pointinpolygon to_geography to_geometry
try_to_geography linestring multipoint multilinestring multipolygon geometrycollection
"""
_MYSQL = """
against bin_to_uuid charset coercibility conv export_set format_bytes format_pico_time is_ipv4 is_ipv4_compat
is_ipv4_mapped is_ipv6 is_uuid json_schema_valid json_schema_validation_report json_storage_free json_storage_size
natural_sort_key ord regexp_instr sformat statement_digest std time_to_sec uuid_to_bin
"""
_SQLITE = """
jsonb jsonb_array jsonb_extract jsonb_group_array jsonb_group_object jsonb_patch jsonb_remove jsonb_replace jsonb_tree
likelihood likely unlikely
"""
_TSQL = """
approx_percentile_cont approx_percentile_disc atn2 choose col_length col_name context_info current_timezone
current_timezone_id datalength date_bucket datetimeoffsetfromparts decompress error_line error_message error_number
error_procedure error_severity error_state formatmessage has_perms_by_name index_col indexproperty is_rolemember
left_shift log2 parse rowcount_big right_shift session_context smalldatetimefromparts sql_variant_property stats_date
try_parse typeproperty
"""
_ORACLE = """
asciistr bin_to_num chartorowid collect compose dbtimezone decompose dump from_tz instrb json_dataguide json_equal
json_transform lengthb lnnvl nchr nls_initcap nls_lower nls_upper nlssort powermultiset remainder rowidtochar
sessiontimezone stats_mode standard_hash substrb sys_connect_by_path sys_extract_utc sys_guid to_binary_double
to_binary_float to_blob to_clob to_dsinterval to_nclob to_yminterval treat tz_offset uid vsize
"""
_BIGQUERY = """
array_is_distinct bool byte_length code_points_to_bytes code_points_to_string contains_substr date_from_unix_date
float64 format_time from_base32 from_hex ieee_divide int64 json_extract_string_array json_query_array json_value_array
lax_bool lax_float64 lax_int64 lax_string normalize_and_casefold ordinal parse_bignumeric parse_numeric parse_time
range_bucket range_contains range_end range_overlaps range_start regexp_substr safe_convert_bytes_to_string
safe_offset safe_ordinal search time_add time_diff time_sub time_trunc to_base32 to_code_points hll_count.extract
hll_count.init hll_count.merge hll_count.merge_partial net.host net.ip_from_string net.ip_net_mask net.ip_to_string
net.ip_trunc net.ipv4_from_int64 net.ipv4_to_int64 net.public_suffix net.reg_domain net.safe_ip_from_string safe.date
safe.datetime safe.float64 safe.from_base64 safe.from_hex safe.int64 safe.left safe.ln safe.log safe.parse_bignumeric
safe.parse_date safe.parse_datetime safe.parse_json safe.parse_numeric safe.parse_time safe.parse_timestamp safe.pow
safe.right safe.sqrt safe.string safe.substr safe.timestamp
"""
_SNOWFLAKE = """
approximate_jaccard_index approximate_similarity array_construct array_construct_compact array_contains_all
array_flatten array_generate_range array_intersection array_remove_at array_reverse_sort array_union_agg
array_unique_agg arrays_to_object as_array as_boolean as_char as_date as_decimal as_double as_integer as_number
as_object as_real as_time as_timestamp_ltz as_timestamp_ntz as_timestamp_tz as_varchar base64_decode_binary
base64_decode_string bitand_agg bitmap_bit_position bitmap_bucket_number bitmap_construct_agg bitmap_count
bitmap_or_agg bitnot bitor_agg bitshiftleft bitshiftright bitxor_agg booland boolnot boolor boolxor boolxor_agg
check_json check_xml collate conditional_change_event conditional_true_event current_account current_account_name
current_available_roles current_client current_ip_address current_organization_name current_region current_role_type
current_secondary_roles current_session current_statement current_transaction current_warehouse dayofweekiso div0
div0null editdistance generator get get_ignore_case greatest_ignore_nulls hash_agg hex_decode_binary hex_decode_string
hex_encode hll hll_accumulate hll_combine hll_estimate hll_export hll_import ilike ilike_any invoker_role is_binary
is_boolean is_char is_date is_decimal is_double is_integer is_null_value is_object is_real is_role_in_session is_time
is_timestamp_ltz is_timestamp_ntz is_timestamp_tz is_varchar last_query_id least_ignore_nulls like_all like_any
map_cat map_delete map_insert map_pick map_size md5_binary md5_hex md5_number_lower64 md5_number_upper64 minhash
minhash_combine object_construct_keep_null object_pick parse_ip parse_url parse_xml randstr regexp_substr_all
rtrimmed_length seq1 seq2 seq4 seq8 sha1_binary sha1_hex sha2_binary sha2_hex skew soundex_p123 split_to_table
strip_null_value strtok_split_to_table strtok_to_array time_from_parts timeadd timestamp_from_parts
timestamp_ltz_from_parts timestamp_ntz_from_parts timestamp_tz_from_parts timestampfromparts to_binary to_boolean
to_numeric to_text to_time to_varchar try_base64_decode_binary try_base64_decode_string try_hex_decode_binary
try_hex_decode_string try_to_binary try_to_boolean try_to_decimal try_to_double try_to_numeric try_to_time
try_to_timestamp_ltz try_to_timestamp_ntz try_to_timestamp_tz vector_cosine_similarity vector_inner_product
vector_l1_distance vector_l2_distance weekiso xmlget yearofweekiso zipf
"""
_DUCKDB = """
aggregate arg_min array_cosine_similarity array_cross_product array_distance array_extract array_has_all array_has_any
array_inner_product array_value arbitrary bar bitstring_agg century damerau_levenshtein datesub decade epoch_ns
epoch_us era favg formatreadabledecimalsize formatreadablesize from_json fsum hamming isoyear jaccard jaro_similarity
jaro_winkler_similarity json_group_structure json_structure list_aggr list_aggregate list_any_value list_append
list_apply list_avg list_concat list_cosine_distance list_cosine_similarity list_count list_distance list_distinct
list_element list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any list_indexof
list_inner_product list_intersect list_last list_max list_median list_min list_mode list_pack list_position
list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_slice list_sort
list_stddev_pop list_string_agg list_sum list_transform list_unique list_where list_zip mad map_extract millennium
mismatches nfc_normalize parse_dirname parse_filename parse_path prefix product quantile_cont quantile_disc range
regexp_full_match reservoir_quantile str_split str_split_regex string_split_regex strip_accents struct_insert suffix
sumkahan to_centuries to_decades to_hours to_microseconds to_milliseconds to_minutes to_months to_quarters to_weeks
to_years transform try_strptime url_decode url_encode entropy
"""
_SPARK = """
array_repeat assert_true bit_get bround count_min_sketch format_string from_csv hll_sketch_agg hll_sketch_estimate
hll_union hll_union_agg input_file_name is_variant_null luhn_check make_dt_interval make_timestamp_ntz
make_ym_interval map_zip_with mask mean histogram_numeric monotonically_increasing_id raise_error schema_of_csv
schema_of_json schema_of_variant sentences session_window shuffle some spark_partition_id str_to_map timestamp_ltz
timestamp_ntz to_csv to_unix_timestamp try_add try_avg try_divide try_element_at try_multiply try_subtract try_sum
try_url_decode try_variant_get unbase64 window window_time
"""
_TRINO = """
all_match any_match approx_most_frequent array_histogram beta_cdf bitwise_and bitwise_and_agg bitwise_left_shift
bitwise_not bitwise_or bitwise_or_agg bitwise_right_shift bitwise_xor bitwise_xor_agg combinations count_if
day_of_month day_of_week day_of_year dow doy from_base from_base64url from_iso8601_timestamp_nanos from_utf8
geometric_mean hamming_distance hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 human_readable_seconds infinity is_finite
is_infinite is_json_scalar json_array_get json_size last_day_of_month map_union multimap_agg multimap_from_entries
murmur3 nan none_match normal_cdf numeric_histogram parse_duration random_string regexp_position regexp_split set_agg
set_union split_to_map split_to_multimap spooky_hash_v2_32 spooky_hash_v2_64 timezone_hour timezone_minute to_base
to_base64url to_iso8601 to_milliseconds to_utf8 try url_extract_fragment url_extract_host url_extract_parameter
url_extract_path url_extract_port url_extract_protocol url_extract_query week_of_year with_timezone word_stem
year_of_week yow
"""
_REDSHIFT = """
bpcharcmp date_cmp date_part_year fnv_hash func_sha1 interval_cmp is_valid_json is_valid_json_array
json_extract_array_element_text object_transform split_to_array strtol subarray
"""
_CLICKHOUSE = """
accuratecast accuratecastornull anylast adddays addhours addminutes addmonths addquarters addseconds addweeks addyears
alphatokens appendtrailingcharifabsent arrayall arrayavg arraycompact arrayconcat arraycount arraycumsum
arraycumsumnonnegative arraydifference arraydistinct arrayelement arrayenumerate arrayenumerateuniq arrayexists
arrayfirst arrayfirstindex arrayflatten arrayfold arrayintersect arraylast arraymax arraymin arraypopback
arraypopfront arrayproduct arraypushback arraypushfront arrayreduce arrayresize arrayreverse arrayreversesort
arrayslice arraysort arraysplit arraystringconcat arraysum arrayuniq arrayzip assumenotnull avgweighted base58decode
base58encode base64decode base64encode bitcount bitnot concatwithseparator corrstable cosinedistance countequal
countsubstrings covarpop covarsamp currentdatabase currentuser cutquerystring cuturlparameter date_diff datename
dateadd datesub decodeurlcomponent deltasum divide domain domainwithoutwww dotproduct empty emptyarraystring
encodeurlcomponent encodexmlcomponent equals exponentialmovingaverage extractall extractallgroups
extractallgroupshorizontal extractallgroupsvertical extractgroups extracturlparameter extracturlparameternames
extracturlparameters farmhash64 firstsignificantsubdomain formatreadablequantity formatreadabletimedelta fragment
fromunixtimestamp fromunixtimestamp64micro fromunixtimestamp64milli fromunixtimestamp64nano geohashdecode
geohashencode greater greaterorequals groupbitand groupbitor groupbitxor grouparrayinsertat grouparraylast
grouparraymovingavg grouparraymovingsum grouparraysample grouparraysorted halfmd5 hassubstr hastoken identity indexof
intdiv intdivorzero inthash32 inthash64 ipv4cidrtorange ipv4numtostring ipv4stringtonum ipv6numtostring
isipaddressinrange isipv4string isipv6string isvalidjson isvalidutf8 jsonextract jsonextractarrayraw jsonextractbool
jsonextractfloat jsonextractkeys jsonextractkeysandvalues jsonextractkeysandvaluesraw jsonextractraw jsonextractuint
jsonhas jsonkey jsonlength jsontype kurtpop kurtsamp l1distance l1norm l2distance l2norm laginframe leadinframe
leftpad leftpadutf8 lengthutf8 less lessorequals lowerutf8 makedatetime mapadd mapapply mapcontains mapfilter
mapfromarrays mapsort materialize maxmap minmap minus modulo multimatchany multimatchanyindex multiply multisearchany
multisearchfirstindex negate neighbor ngramdistance ngramsearch notempty notequals notlike now64 numbers
parsedatetime64besteffort parsedatetimebesteffort plus positioncaseinsensitive positioncaseinsensitiveutf8
positionutf8 protocol quantilebfloat16 quantiledeterministic quantileexactexclusive quantileexactinclusive
quantileexactweighted quantiles quantilesexact quantilestdigest quantilestiming quantiletdigest quantiletiming
querystring querystringandfragment replaceall replaceone replaceregexpall replaceregexpone retention reverseutf8
rightpad rightpadutf8 rownumberinallblocks rownumberinblock runningaccumulate runningdifference sequencecount
sequencematch simplejsonextractbool simplejsonextractfloat simplejsonextractint simplejsonextractraw
simplejsonextractstring simplejsonextractuint simplejsonhas simplelinearregression siphash128 skewpop skewsamp
splitbynonalpha splitbyregexp splitbywhitespace stddevpop stddevsamp substringutf8 subtractdays subtracthours
subtractminutes subtractmonths subtractquarters subtractseconds subtractweeks subtractyears sumcount summap
sumwithoverflow timeslot timeslots timezoneof todayofmonth todayofyear tofixedstring tohour tointervalday
tointervalhour tointervalminute tointervalmonth tointervalsecond tointervalweek tointervalyear toisoweek toisoyear
tojsonstring tolastdayofmonth tolowcardinality tomillisecond tominute tomonday tonullable topk topkweighted
topleveldomain toquarter tosecond tostartoffifteenminutes tostartoffiveminutes tostartofmicrosecond
tostartofmillisecond tostartofquarter tostartofsecond tostartoftenminutes totimezone totypename tounixtimestamp
tounixtimestamp64milli tovalidutf8 toweek toyyyymmddhhmmss trimboth trimleft trimright trybase64decode tupleelement
tupleplus untuple upperutf8 uniqcombined uniqcombined64 uniqhll12 uniqthetasketch varpop varsamp visitparamextractbool
visitparamextractfloat visitparamextractint visitparamextractraw visitparamextractstring visitparamextractuint
visitparamhas windowfunnel xxhash32 zeros
"""
# ClickHouse adds these to the names of aggregates and conversions
_AGGREGATING = (
    "any anylast argmax argmin avg count grouparray groupuniqarray max median min quantile sum uniq uniqexact"
)
_COMBINED = "array distinct if map merge mergestate orderby ordefault ornull state"
_CONVERTING = """
todate todate32 todatetime todatetime64 todecimal128 todecimal256 todecimal32 todecimal64 tofloat32 tofloat64 toint128
toint16 toint256 toint32 toint64 toint8 toipv4 toipv6 touint128 touint16 touint256 touint32 touint64 touint8 touuid
parsedatetime parsedatetimebesteffort
"""
_FAILING = "ordefault ornull orzero"

OF_PRODUCTS: Final = frozenset(
    (
        *(
            name
            for group in (
                *(_SPATIAL, _POSTGRES, _MYSQL, _SQLITE, _TSQL, _ORACLE, _BIGQUERY, _SNOWFLAKE),
                *(_DUCKDB, _SPARK, _TRINO, _REDSHIFT, _CLICKHOUSE, _CONVERTING),
            )
            for name in group.split()
        ),
        *(f"{name}{way}" for name in _AGGREGATING.split() for way in _COMBINED.split()),
        *(f"{name}{way}" for name in _CONVERTING.split() for way in _FAILING.split()),
    )
)
