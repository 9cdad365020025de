"""Functions that every database has built in, whichever dialect is named."""

from typing import Final

__all__ = ["NAMES"]

_NAMES: Final = """
abs acos asin atan avg cast coalesce concat cos count cume_dist current_date current_timestamp dense_rank exp
first_value floor lag last_value lead log lower ltrim max min ntile nullif percent_rank rank replace round row_number
rtrim sign sin sqrt sum tan trim upper
"""
NAMES: Final = frozenset(_NAMES.split())
