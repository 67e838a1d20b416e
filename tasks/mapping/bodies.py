"""Attempts as the statistics to send."""

import numpy as np
import pandas as pd


def iso_times(epoch_ms: pd.Series) -> list[str]:
    """Write epoch milliseconds (int64) as ISO 8601 in UTC, to the millisecond."""
    times = epoch_ms.to_numpy(dtype="int64").astype("datetime64[ms]")
    written: list[str] = np.datetime_as_string(times, unit="ms", timezone="UTC").tolist()
    return written


def statistics(attempts: pd.DataFrame) -> list[dict[str, object]]:
    """Write each attempt (see `tasks.mapping.attempts.merge`) as an ImportExternalStatisticsDTO."""
    columns = (
        attempts["course"].tolist(),
        attempts["learner"].tolist(),
        attempts["progress"].tolist(),
        attempts["time_spent"].tolist(),
        iso_times(attempts["first_at"]),
        iso_times(attempts["last_at"]),
        attempts["force_new"].tolist(),
        attempts["score"].astype(object).where(attempts["score"].notna(), None).tolist(),
    )
    return [
        {
            "courseIdentifier": {"type": "externalId", "value": course},
            "userIdentifier": {"type": "mail", "value": learner},
            "progress": progress,
            "timeSpent": time_spent,
            "firstActivityAt": first_at,
            "lastActivityAt": last_at,
            **({"forceNew": True} if force_new else {}),
            **({} if score is None else {"score": score}),
        }
        for course, learner, progress, time_spent, first_at, last_at, force_new, score in zip(
            *columns, strict=True
        )
    ]
