"""The names that expressions know."""

from __future__ import annotations

from typing import Final, NamedTuple, get_args

from tickstream.core.model import Activity, SessionName

BAR_FIELDS: Final = ("open", "high", "low", "close", "volume", "vwap", "trades")
CLOCK_FIELDS: Final = ("minutes_since_open", "minutes_to_close")
SESSION_FIELDS: Final = ("session_open", "session_high", "session_low", "previous_close", "bar_return")
"""What the bars of a session so far, and of the one before, come to."""
PRICE: Final = "price"
"""What a trade has."""
SESSIONS: Final = get_args(SessionName)
ACTIVITIES: Final = get_args(Activity)
SESSION: Final = "session"
"""The field that holds a bar's session, as its place in SESSIONS."""
ACTIVITY: Final = "activity"
"""The field that holds a bar's activity, as its place in ACTIVITIES."""

INDICATORS: Final = (
    "sma_20", "ema_20", "rsi_14", "macd_12_26_9", "macd_12_26_9_signal", "macd_12_26_9_hist", "bbands_20_2_upper",
    "bbands_20_2_middle", "bbands_20_2_lower", "atr_14", "adx_14", "stoch_14_3_3_k", "stoch_14_3_3_d", "cci_20",
    "roc_10", "willr_14", "mfi_14", "obv",
)  # fmt: skip
"""Those that the processor makes unless told otherwise; `vwap` without more is the bar's own."""

_FUNCTIONS: Final = frozenset((
    "ad", "adosc", "adx", "adxr", "apo", "aroon", "aroonosc", "atr", "avgprice", "bbands", "beta", "bop", "cci",
    "cmo", "correl", "dema", "dx", "ema", "kama", "linearreg", "ma", "macd", "macdext", "macdfix", "mama", "mavp",
    "medprice", "mfi", "midpoint", "midprice", "mom", "natr", "obv", "plus_di", "minus_di", "ppo", "roc", "rocp",
    "rocr", "rsi", "sar", "sarext", "sma", "stddev", "stoch", "stochf", "stochrsi", "sum", "t3", "tema", "trange",
    "trima", "trix", "tsf", "typprice", "ultosc", "var", "wclprice", "willr", "wma",
))  # fmt: skip


class Signature(NamedTuple):
    """What a function takes: so many values, and an extent always, never, or when wanted."""

    values: int
    extent: str = "never"


FUNCTIONS: Final = {
    "previous": Signature(1, "maybe"),
    "change": Signature(1, "always"),
    "percent_change": Signature(1, "always"),
    "mean": Signature(1, "always"),
    "sum": Signature(1, "always"),
    "stddev": Signature(1, "always"),
    "highest": Signature(1, "always"),
    "lowest": Signature(1, "always"),
    "median": Signature(1, "always"),
    "mad": Signature(1, "always"),
    "robust_z": Signature(1, "always"),
    "abs": Signature(1),
    "sqrt": Signature(1),
    "log": Signature(1),
    "min": Signature(2),
    "max": Signature(2),
}


def is_indicator(name: str) -> bool:
    """Whether it is called like one of TA-Lib's, with its parameters or without."""
    return name in INDICATORS or name.split("_", 1)[0] in _FUNCTIONS
