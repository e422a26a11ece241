"""What a recorded day comes to, worked out with polars and TA-Lib's batch functions from the vendor's file alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import talib
from numpy.typing import NDArray

NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
LENGTHS = {"1s": SECOND, "1m": 60 * SECOND, "5m": 300 * SECOND, "15m": 900 * SECOND, "1h": 3600 * SECOND}

Series = NDArray[np.float64]


def at(text: str) -> int:
    """Nanoseconds of a time in New York."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * SECOND


def trades_of(path: Path) -> pl.DataFrame:
    """The trades of one LEAN tick file, in its order: ts, price, volume, suspicious."""
    day = path.name[:8]
    midnight = at(f"{day[:4]}-{day[4:6]}-{day[6:]} 00:00:00")
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0])
    names = ["ms", "price", "volume", "venue", "conditions", "suspicious"]
    kinds = [pl.Float64, pl.Int64, pl.Int64, pl.String, pl.String, pl.Int64]
    raw = pl.read_csv(io.BytesIO(text), has_header=False, new_columns=names, schema_overrides=kinds)
    return raw.select(
        ts=midnight + (pl.col("ms") * 1_000_000).round().cast(pl.Int64),
        price=pl.Series(raw["price"].to_numpy() / 10_000),  # polars' own quotient isn't correctly rounded
        volume=pl.col("volume").cast(pl.Float64),
        suspicious=pl.col("suspicious") == 1,
    )


def bars_of(trades: pl.DataFrame, interval: str) -> pl.DataFrame:
    """Bars of the trades that aren't suspicious: start, end, open, high, low, close, volume, trades, vwap."""
    clean = trades.filter(~pl.col("suspicious"))
    if interval == "1d":
        day = datetime.fromtimestamp(clean["ts"][0] // SECOND, NEW_YORK).strftime("%Y-%m-%d")
        clean = clean.with_columns(start=pl.lit(at(f"{day} 00:00:00")))
        length = 24 * 3600 * SECOND
    else:
        length = LENGTHS[interval]
        clean = clean.with_columns(start=pl.col("ts") // length * length)
    return (
        clean.group_by("start", maintain_order=True)
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
            volume=pl.col("volume").sum(),
            trades=pl.len(),
            value=(pl.col("price") * pl.col("volume")).sum(),
        )
        .with_columns(
            end=pl.col("start") + length,
            vwap=pl.when(pl.col("volume") > 0).then(pl.col("value") / pl.col("volume")).otherwise(pl.col("close")),
        )
    )


def vwap_since(trades: pl.DataFrame, start: int, end: int) -> float | None:
    """sum(price x volume) / sum(volume) over [start, end); none without volume."""
    part = trades.filter(~pl.col("suspicious") & (pl.col("ts") >= start) & (pl.col("ts") < end))
    volume = float(part["volume"].sum())
    return float((part["price"] * part["volume"]).sum()) / volume if volume else None


def indicators_of(opens: Series, high: Series, low: Series, close: Series, volume: Series) -> dict[str, Series]:
    """The catalogue, less vwap, by TA-Lib's batch functions over whole series."""
    del opens
    macd, signal, hist = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    k, d = talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3)  # both smoothed simply
    return {
        "sma_20": talib.SMA(close, 20),
        "ema_20": talib.EMA(close, 20),
        "rsi_14": talib.RSI(close, 14),
        "macd_12_26_9": macd,
        "macd_12_26_9_signal": signal,
        "macd_12_26_9_hist": hist,
        "bbands_20_2_upper": upper,
        "bbands_20_2_middle": middle,
        "bbands_20_2_lower": lower,
        "atr_14": talib.ATR(high, low, close, 14),
        "adx_14": talib.ADX(high, low, close, 14),
        "stoch_14_3_3_k": k,
        "stoch_14_3_3_d": d,
        "cci_20": talib.CCI(high, low, close, 20),
        "roc_10": talib.ROC(close, 10),
        "willr_14": talib.WILLR(high, low, close, 14),
        "mfi_14": talib.MFI(high, low, close, volume, 14),
        "obv": talib.OBV(close, volume),
    }


def minutes(start: int, end: int) -> Iterator[int]:
    """The starts of the minutes of [start, end)."""
    return iter(range(start, end, LENGTHS["1m"]))
