"""Attempts as the statistics to send."""

import pandas as pd

from connectors.learning360.models import Identifier, Statistic
from tasks.transform.timestamps import iso_times


def statistics(attempts: pd.DataFrame) -> list[Statistic]:
    """Write each attempt (see `transform.statistics.attempts`) as an ImportExternalStatisticsDTO."""
    columns = (
        [Identifier("externalId", course) for course in attempts["course"].tolist()],
        [Identifier("mail", learner) for learner in attempts["learner"].tolist()],
        attempts["progress"].tolist(),
        attempts["time_spent"].tolist(),
        iso_times(attempts["first_at"]),
        iso_times(attempts["last_at"]),
        attempts["force_new"].tolist(),
        attempts["score"].astype(object).where(attempts["score"].notna(), None).tolist(),
    )
    return [*map(Statistic, *columns)]
