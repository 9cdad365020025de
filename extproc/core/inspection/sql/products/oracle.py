"""Functions of Oracle Database 23ai that only compute.

Source: the SQL Language Reference, "Functions".
"""

from typing import Final

__all__ = ["NAMES", "TYPES"]

_NAMES: Final = """
add_months any_value approx_count approx_count_distinct approx_median approx_percentile approx_rank approx_sum ascii
asciistr atan2 bin_to_num bit_and_agg bit_or_agg bit_xor_agg bitand boolean_and_agg boolean_or_agg cardinality ceil
chartorowid checksum chr collation collect compose convert corr corr_k corr_s cosh cosine_distance covar_pop
covar_samp dbtimezone decode decompose dump every extract first from_tz fuzzy_match greatest group_id grouping
grouping_id hextoraw initcap inner_product instr instrb json json_array json_arrayagg json_dataguide json_equal
json_exists json_mergepatch json_object json_objectagg json_query json_scalar json_serialize json_table json_transform
json_value kurtosis_pop kurtosis_samp l1_distance l2_distance last last_day least length lengthb like listagg ln lnnvl
localtimestamp lpad median mod months_between nanvl nchr new_time next_day nls_initcap nls_lower nls_upper nlssort
nth_value numtodsinterval numtoyminterval nvl nvl2 ora_hash percentile_cont percentile_disc power powermultiset
ratio_to_report rawtohex rawtonhex regexp_count regexp_instr regexp_like regexp_replace regexp_substr regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy remainder rowidtochar rowidtonchar
rpad sessiontimezone sinh skewness_pop skewness_samp soundex standard_hash stats_binomial_test stats_crosstab
stats_f_test stats_ks_test stats_mode stats_mw_test stats_one_way_anova stats_t_test_indep stats_t_test_one
stats_t_test_paired stddev stddev_pop stddev_samp substr substrb sys_connect_by_path sys_context sys_extract_utc
sys_guid sysdate systimestamp tanh time_bucket to_approx_count_distinct to_binary_double to_binary_float to_blob
to_boolean to_char to_clob to_date to_dsinterval to_multi_byte to_nchar to_nclob to_number to_single_byte to_timestamp
to_timestamp_tz to_vector to_yminterval translate treat trunc tz_offset uid unistr user userenv uuid
validate_conversion var_pop var_samp variance vector_dims vector_distance vector_norm vsize width_bucket wm_concat
xmlagg xmlattributes xmlconcat xmlelement xmlforest
"""
NAMES: Final = frozenset(_NAMES.split())

_TYPES: Final = """
char character dec decimal float int integer nchar number numeric nvarchar2 raw real smallint timestamp varchar
varchar2 varying vector
"""
TYPES: Final = frozenset(_TYPES.split())
