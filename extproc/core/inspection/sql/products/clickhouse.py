"""Functions of ClickHouse that only compute.

Source: ``system.functions`` of ClickHouse 26.9, and its reference, "Regular functions" and "Aggregate functions".
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_PLAIN: Final = """
accuratecast accuratecastornull acosh adddate adddays addhours addminutes addmonths addquarters addseconds addweeks
addyears age alphatokens and any any_value anyheavy anylast appendtrailingcharifabsent approx_top_count approx_top_k
approx_top_sum argmax argmin array array_agg array_concat_agg array_remove array_to_string arrayall arrayavg
arraycompact arrayconcat arraycount arraycumsum arraycumsumnonnegative arraydifference arraydistinct arraydotproduct
arrayelement arrayelementornull arrayenumerate arrayenumerateuniq arrayexcept arrayexists arrayfill arrayfilter
arrayfirst arrayfirstindex arrayflatten arrayfold arrayintersect arrayjoin arraylast arraylastindex arraymap arraymax
arraymin arraypopback arraypopfront arrayproduct arraypushback arraypushfront arrayreduce arrayremove arrayresize
arrayreverse arrayreversesort arrayrotateleft arrayrotateright arrayshuffle arrayslice arraysort arraysplit
arraystringconcat arraysum arraysymmetricdifference arrayunion arrayuniq arraywithconstant arrayzip arrayzipunaligned
ascii asinh assumenotnull atan2 atanh avg2 avgweighted bar base32decode base32encode base58decode base58encode
base64decode base64encode base64urldecode base64urlencode basename bin bit_and bit_or bit_xor bitand bitcount
bithammingdistance bitmapbuild bitmapcardinality bitmapcontains bitmaptoarray bitnot bitor bitshiftleft bitshiftright
bitslice bittest bitxor cardinality cbrt ceil ceiling char char_length character_length cityhash64 clamp columns
concat_ws concatwithseparator connection_id conv corr corrstable cosh cosinedistance countequal countmatches
countsubstrings covar_pop covar_samp covarpop covarsamp crc32 curdate current_database current_schemas current_user
currentdatabase currentqueryid currentroles currentschemas currentuser cutfragment cutquerystring cuturlparameter
cutwww dameraulevenshteindistance database date date_add date_bin date_diff date_format date_sub date_trunc dateadd
datediff datename datesub datetrunc day dayofmonth dayofweek dayofyear decodeurlcomponent degrees deltasum denserank
divide domain domainwithoutwww dotproduct editdistance empty emptyarraystring encodeurlcomponent encodexmlcomponent
endswith entropy equals erf erfc exponentialmovingaverage extract extractall extractallgroups
extractallgroupshorizontal extractallgroupsvertical extractgroups extracturlparameter extracturlparameternames
extracturlparameters factorial farmhash64 firstsignificantsubdomain flatten format format_bytes formatdatetime
formatreadabledecimalsize formatreadablequantity formatreadablesize formatreadabletimedelta fragment from_base64
from_days from_unixtime from_utc_timestamp fromunixtimestamp fromunixtimestamp64micro fromunixtimestamp64milli
fromunixtimestamp64nano fromutctimestamp gcd generate_series generateulid generateuuidv4 generateuuidv7 geodistance
geohashdecode geohashencode geotoh3 greatcircleangle greatcircledistance greater greaterorequals greatest group_concat
grouparray grouparrayinsertat grouparrayintersect grouparraylast grouparraymovingavg grouparraymovingsum
grouparraysample grouparraysorted groupbitand groupbitmap groupbitor groupbitxor groupconcat groupuniqarray
h3getresolution h3togeo h3toparent h3tostring halfmd5 has hasall hasany hassubstr hastoken hex highlight histogram
hmac hop hopend hopstart hour hypot identity if ifnull ilike indexof inet6_aton inet6_ntoa inet_aton inet_ntoa initcap
initcaputf8 instr intdiv intdivorzero inthash32 inthash64 ipv4cidrtorange ipv4numtostring ipv4stringtonum
ipv6numtostring isfinite isinfinite isipaddressinrange isipv4string isipv6string isnan isnotnull isnull isvalidjson
isvalidutf8 jarosimilarity jarowinklersimilarity json_array_length json_exists json_query json_value jsonallpaths
jsonarraylength jsonextract jsonextractarrayraw jsonextractbool jsonextractfloat jsonextractint jsonextractkeys
jsonextractkeysandvalues jsonextractkeysandvaluesraw jsonextractraw jsonextractstring jsonextractuint jsonhas jsonkey
jsonlength jsontype kurtpop kurtsamp l1distance l1norm l2distance l2norm l2squareddistance laginframe last_day lcase
lcm leadinframe least left leftpad leftpadutf8 length lengthutf8 less lessorequals levenshteindistance lgamma like ln
localtime localtimestamp locate log10 log1p log2 lowerutf8 lpad makedate makedatetime map map_from_arrays mapadd
mapapply mapconcat mapcontains mapcontainskey mapexists mapfilter mapfromarrays mapkeys mapsort mapupdate mapvalues
match materialize max2 max_by md5 median medianexact metrohash64 microsecond mid millisecond min2 min_by minus minute
mismatches mod modornull modulo moduloornull month monthname multiif multimatchany multimatchanyindex multiply
multisearchany multisearchfirstindex murmurhash2_64 murmurhash3_128 murmurhash3_32 murmurhash3_64 natural_sort_key
naturalsortkey negate neighbor ngramdistance ngrams ngramsearch not notempty notequals notlike now now64 nowinblock
nth_value numbers numbers_mt octet_length or overlay parsedatetime64 parsedatetime64besteffort path pathfull
percentrank pg_get_userbyid pg_table_is_visible pi plus pmod pointinpolygon polygonareaspherical
polygonswithinspherical port position positioncaseinsensitive positioncaseinsensitiveutf8 positionutf8 pow power
printf protocol quantile quantilebfloat16 quantiledeterministic quantileexact quantileexactexclusive quantileexacthigh
quantileexactinclusive quantileexactlow quantileexactweighted quantiles quantilesexact quantilesexactexclusive
quantilesexactinclusive quantilestdigest quantilestiming quantiletdigest quantiletiming quarter queryid querystring
querystringandfragment radians rand rand32 rand64 randnormal randomstring randuniform range readwkt readwktpoint
readwktpolygon regexp_extract regexp_instr regexp_matches regexp_replace regexp_substr regexpextract regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reinterpretasstring
reinterpretasuint64 repeat replaceall replaceone replaceregexpall replaceregexpone replicate retention reverse
reverseutf8 revision right rightpad rightpadutf8 roundage roundbankers rounddown roundduration row
rownumberinallblocks rownumberinblock rpad runningaccumulate runningconcurrency runningdifference schema second
sequencecount sequencematch sequencematchevents servertimezone session_user sha1 sha224 sha256 sha384 sha512 sigmoid
simplejsonextractbool simplejsonextractfloat simplejsonextractint simplejsonextractraw simplejsonextractstring
simplejsonextractuint simplejsonhas simplelinearregression singlevalueornull sinh siphash128 siphash64 skewpop
skewsamp soundex space sparkbar splitbyalpha splitbychar splitbynonalpha splitbyregexp splitbystring splitbywhitespace
st_asmvt st_asmvtgeom startswith startswithutf8 std stddev stddev_pop stddev_samp stddevpop stddevsamp str_to_date
str_to_map string_agg stringjaccardindex subdate substr substring substring_index substringindex substringutf8
subtractdays subtracthours subtractminutes subtractmonths subtractquarters subtractseconds subtractweeks subtractyears
sumcount sumkahan sumwithoverflow tanh time_bucket timediff timeslot timeslots timestamp timestamp_add timestamp_diff
timestamp_sub timestampadd timestampdiff timestampsub timezone timezoneof timezoneoffset to_base64 to_days to_unixtime
to_utc_timestamp tobool todatetime32 today todayofmonth todayofweek todayofyear todaysinmonth tofixedstring tohour
tointervalday tointervalhour tointervalminute tointervalmonth tointervalsecond tointervalweek tointervalyear toisoweek
toisoyear tojsonstring tolastdayofmonth tolastdayofweek tolowcardinality tomicrosecond tomillisecond tominute tomonday
tomonth tomonthnumsinceepoch tonullable topk topkweighted topleveldomain toquarter torelativedaynum torelativehournum
torelativemonthnum torelativeweeknum tosecond tostartofday tostartoffifteenminutes tostartoffiveminutes tostartofhour
tostartofinterval tostartofisoyear tostartofmicrosecond tostartofmillisecond tostartofminute tostartofmonth
tostartofnanosecond tostartofquarter tostartofsecond tostartoftenminutes tostartofweek tostartofyear tostring
tostringcuttozero totime totimezone totypename tounixtimestamp tounixtimestamp64milli toutctimestamp tovalidutf8
toweek toyear toyearweek toyyyymm toyyyymmdd toyyyymmddhhmmss transform translate trimboth trimleft trimright trunc
truncate trybase64decode tumble tumbleend tumblestart tuple tupleconcat tupleelement tuplehammingdistance tupleplus
ucase unhex uniq uniqcombined uniqcombined64 uniqexact uniqhll12 unnest untuple upperutf8 urlhierarchy
urlpathhierarchy user utc_timestamp uuidnumtostring uuidstringtonum values var_pop var_samp variantelement varianttype
varpop varsamp version visiblewidth visitparamextractbool visitparamextractfloat visitparamextractint
visitparamextractraw visitparamextractstring visitparamextractuint visitparamhas week width_bucket widthbucket
windowfunnel wkt wyhash64 xor xxh3 xxhash32 xxhash64 year yearweek yesterday yyyymmddtodate zeros zeros_mt
"""
# it adds these to the names of aggregates and conversions
_AGGREGATING: Final = (
    "any anylast argmax argmin avg count grouparray groupuniqarray max median min quantile sum uniq uniqexact"
)
_COMBINED: Final = "array distinct if map merge mergestate orderby ordefault ornull state"
_CONVERTING: Final = """
parsedatetime parsedatetimebesteffort todate todate32 todatetime todatetime64 todecimal128 todecimal256 todecimal32
todecimal64 tofloat32 tofloat64 toint128 toint16 toint256 toint32 toint64 toint8 toipv4 toipv6 touint128 touint16
touint256 touint32 touint64 touint8 touuid
"""
_FAILING: Final = "ordefault ornull orzero"

NAMES: Final = frozenset(
    (
        *_PLAIN.split(),
        *_CONVERTING.split(),
        *(f"{name}{way}" for name in _AGGREGATING.split() for way in _COMBINED.split()),
        *(f"{name}{way}" for name in _CONVERTING.split() for way in _FAILING.split()),
    )
)
_TYPES: Final = """
aggregatefunction char character datetime datetime64 dec decimal decimal128 decimal256 decimal32 decimal64 enum enum16
enum8 fixedstring lowcardinality nested nullable numeric simpleaggregatefunction time64 varchar variant
"""
TYPES: Final = frozenset(_TYPES.split())
