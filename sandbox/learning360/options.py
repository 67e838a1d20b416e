"""What can be switched on the sandbox's 360Learning."""

from dataclasses import dataclass


@dataclass
class Learning360Options:
    """The defaults are a well-behaved platform on which operations are quick."""

    #: How long an operation takes at least, and how many rows a second it does; 0 of both: no time at all.
    operation_base_ms: int = 300
    rows_per_second: int = 20_000
    #: Operations not ended at a time, for the whole platform.
    operations_at_once: int = 3
    #: They are worked on together; else one after the other, the next ones queued meanwhile.
    in_parallel: bool = False
    #: New operations stay queued until `Learning360.release()`.
    hold_operations: bool = False
    #: So many of the next operations end in error, after this many of their rows.
    fail_next: int = 0
    fail_after_rows: int = 0
    #: The results of later operations lack this many of their last rows.
    drop_results: int = 0
    #: What later operations report of rows that went well.
    success_status: str = "success"
    #: Results come in the reverse order of the inputs.
    reverse_results: bool = False
    #: An operation shows in the list of operations only this long after it was made.
    listed_late_ms: int = 0
    #: 503 bulkAPIDisabled for every submission.
    bulk_disabled: bool = False
    #: `Location` and `Link` are paths without a host.
    relative_urls: bool = False
    #: Names that the platform's own connectors hold, in lower case.
    reserved_names: frozenset[str] = frozenset({"coursera", "linkedin learning", "udemy", "udemy business"})
    #: An upsert of an archived course brings it back.
    upsert_revives: bool = True
    #: Whether the limits below are enforced.
    rate_limited: bool = False
    reads_per_second: int = 50
    writes_per_second: int = 10
    #: The bound on every page below the documented sizes; None: as documented.
    page_cap: int | None = None
    #: No answer comes sooner after its request, in real milliseconds.
    latency_ms: int = 0
