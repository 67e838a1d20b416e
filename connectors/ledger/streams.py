"""The two streams: what locks, watermarks and rejects are kept apart by."""

from typing import Final

CATALOG: Final = "catalog"
STATISTICS: Final = "statistics"
