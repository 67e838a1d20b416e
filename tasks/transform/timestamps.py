"""Moments as 360Learning writes them."""

import numpy as np
import pandas as pd


def iso_times(epoch_ms: pd.Series) -> list[str]:
    """Write epoch milliseconds (int64) as ISO 8601 in UTC, to the millisecond."""
    times = epoch_ms.to_numpy(dtype="int64").astype("datetime64[ms]")
    written: list[str] = np.datetime_as_string(times, unit="ms", timezone="UTC").tolist()
    return written
