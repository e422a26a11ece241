"""The middle of a window and the spread around it, which a few extreme values don't move.

Windows are (symbols, rows, values), the newest value last; `inside` says which values count, and the
newest one always does. A value that isn't there, NaN, leaves its whole window without a result.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats

Bools = NDArray[np.bool_]
_NORMAL: Final = 0.6745
"""The median absolute deviation of a normal distribution, in standard deviations."""


def median(windows: Floats, inside: Bools) -> Floats:
    """The middle value, or the mean of the middle two."""
    count = inside.sum(axis=2, keepdims=True)
    ordered = np.sort(np.where(inside, windows, np.inf), axis=2)
    middle: Floats = (
        np.take_along_axis(ordered, (count - 1) // 2, axis=2) + np.take_along_axis(ordered, count // 2, axis=2)
    )[:, :, 0] / 2.0
    return np.where((np.isnan(windows) & inside).any(axis=2), np.nan, middle)


def deviation(windows: Floats, inside: Bools) -> Floats:
    """The median absolute deviation from the median (MAD)."""
    return median(np.abs(windows - median(windows, inside)[:, :, None]), inside)


def robust_z(windows: Floats, inside: Bools) -> Floats:
    """The modified z-score of the newest value, 0.6745 (x - median) / MAD.

    Infinite or NaN where more than half of the values are equal, so that there is no spread.

    Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
    """
    scores: Floats = _NORMAL * (windows[:, :, -1] - median(windows, inside)) / deviation(windows, inside)
    return scores
