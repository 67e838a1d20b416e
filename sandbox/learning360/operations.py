"""Bulk operations: their life from pending to ended, told lazily from the clock."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

from sandbox.clock import SECOND_MS, Clock
from sandbox.learning360.errors import coded
from sandbox.learning360.options import Learning360Options
from sandbox.values import Json, iso

OperationType = Literal["importExternalCourses", "archiveExternalCourses", "importExternalStatistics"]

#: Handles one row; returns the id of the resource it touched, or raises RowError.
RowHandler = Callable[[Json], str]

#: Shares of the base time after which an operation is queued, and after which it runs.
_QUEUED, _RUNNING = 0.1, 0.3


class RowError(Exception):
    """A row that the platform refuses; the message is its errorMessage."""


@dataclass
class Operation:
    """One bulk operation. Times are epoch milliseconds."""

    id: str
    type: str
    #: The integration it belongs to; None: another one's, on the same platform.
    integration_id: str | None
    rows: list[Json]
    handler: RowHandler | None
    created_ms: int
    queued_ms: int
    started_ms: int
    ends_ms: int
    size: int = 0
    held: bool = False
    fails_after: int | None = None
    drops: int = 0
    reverses: bool = False
    success_status: str = "success"
    #: A status that it shows in place of its own.
    shown_status: str | None = None
    ended: bool = False
    _done: list[Json] = field(default_factory=list)
    results_json: bytes = b"[]"

    @property
    def results(self) -> list[Json]:
        """The results, once it has ended: each input with its outcome."""
        found: list[Json] = orjson.loads(self.results_json)
        return found

    def status(self, now_ms: int) -> str:
        """pending, queued, running, completed or error; or what it shows in place of that."""
        if self.shown_status is not None:
            return self.shown_status
        if self.ended:
            return "completed" if self.fails_after is None else "error"
        if now_ms < self.queued_ms:
            return "pending"
        return "queued" if self.held or now_ms < self.started_ms else "running"

    def advance(self, now_ms: int) -> None:
        """Processes the rows whose time has come, each once."""
        due = int(self.size * self._share(now_ms))
        if self.fails_after is not None:
            due = min(due, self.fails_after)
        self._done += [self._result(row) for row in self.rows[len(self._done) : due]]

    def finish(self) -> None:
        """Processes what is left of its rows: it has ended."""
        self.advance(self.ends_ms)
        results, self._done = self._done, []
        results = results[: max(0, len(results) - self.drops)]
        self.results_json = orjson.dumps(results[::-1] if self.reverses else results)
        self.ended = True
        self.rows = []

    def to_json(self, now_ms: int) -> Json:
        """The operation as the API shows it."""
        status = self.status(now_ms)
        shown: Json = {"_id": self.id, "type": self.type, "createdAt": iso(self.created_ms), "status": status}
        if status != "pending":
            shown["queuedAt"] = iso(self.queued_ms)
        if self.ended or status == "running":
            shown |= {"startedAt": iso(self.started_ms), "progress": self._progress(now_ms)}
        if self.ended:
            shown["endedAt"] = iso(self.ends_ms)
        if status == "error":
            shown["errorMessage"] = "The operation stopped because of an unexpected error."
        return shown

    def _result(self, row: Json) -> Json:
        try:
            resource_id = self.handler(row) if self.handler else ""
        except RowError as error:
            return {"input": row, "status": "error", "errorMessage": str(error)}
        return {"input": row, "status": self.success_status, "resourceId": resource_id}

    def _progress(self, now_ms: int) -> Json:
        if self.ended:
            done = self.size if self.fails_after is None else min(self.size, self.fails_after)
            return {"index": max(0, done - 1), "updatedAt": iso(self.ends_ms)}
        return {"index": int(self.size * self._share(now_ms)), "updatedAt": iso(max(now_ms, self.started_ms))}

    def _share(self, now_ms: int) -> float:
        """How much of the time that it takes is over."""
        if now_ms >= self.ends_ms:
            return 1.0
        return max(0, now_ms - self.started_ms) / (self.ends_ms - self.started_ms)


class Operations:
    """The platform's queue: one after another in the order of submission, three of them at most."""

    def __init__(self, clock: Clock, options: Learning360Options, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._options = options
        self._new_id = new_id
        # The server's thread and a test's own may both look: rows are processed once.
        self._lock = threading.RLock()
        self.all: list[Operation] = []

    def settle(self) -> None:
        """Does what is due by the clock, in the order of submission."""
        now_ms = self._clock()
        with self._lock:
            for operation in _own(self.unfinished()):
                if operation.held:
                    break
                if operation.ends_ms <= now_ms:
                    operation.finish()
                elif self._options.in_parallel:
                    operation.advance(now_ms)

    def unfinished(self) -> list[Operation]:
        """Those not ended, of this integration and of others, oldest first."""
        return [operation for operation in self.all if not operation.ended]

    def submit(
        self, kind: OperationType, integration_id: str, rows: list[Json], handler: RowHandler
    ) -> Operation:
        """One more operation; raises a 429 when too many have not ended."""
        with self._lock:
            return self._submit(kind, integration_id, rows, handler)

    def _submit(
        self, kind: OperationType, integration_id: str, rows: list[Json], handler: RowHandler
    ) -> Operation:
        self.settle()
        if len(self.unfinished()) >= self._options.operations_at_once:
            raise coded(429, "bulkOperationsConcurrencyLimitReached")
        operation = self._scheduled(kind, integration_id, rows, handler)
        operation.held = self._options.hold_operations
        operation.drops = self._options.drop_results
        operation.success_status = self._options.success_status
        operation.reverses = self._options.reverse_results
        if self._options.fail_next > 0:
            self._options.fail_next -= 1
            operation.fails_after = self._options.fail_after_rows
        self.all.append(operation)
        return operation

    def get(self, operation_id: str) -> Operation:
        """The operation of that id; raises a 404."""
        self.settle()
        for operation in reversed(self.all):
            if operation.id == operation_id:
                return operation
        raise coded(404, "bulkOperationNotFound")

    def listed(self) -> list[Operation]:
        """Those that show in the list by now, newest first."""
        self.settle()
        newest_ms = self._clock() - self._options.listed_late_ms
        return [operation for operation in reversed(self.all) if operation.created_ms <= newest_ms]

    def occupy(self, count: int) -> None:
        """So many operations of other integrations are under way from now on, and no others of theirs."""
        self.settle()
        for operation in self.unfinished():
            if operation.integration_id is None:
                operation.held = False
                operation.ends_ms = self._clock()
                operation.finish()
        for _ in range(count):
            foreign = self._scheduled("importExternalStatistics", None, [], None)
            foreign.held = True
            self.all.append(foreign)

    def release(self) -> None:
        """Held operations of this integration end at the next look."""
        self._options.hold_operations = False
        now_ms = self._clock()
        for operation in self.unfinished():
            if operation.integration_id is not None:
                operation.held = False
                operation.started_ms = operation.ends_ms = max(now_ms, operation.queued_ms)

    def _scheduled(
        self, kind: OperationType, integration_id: str | None, rows: list[Json], handler: RowHandler | None
    ) -> Operation:
        now_ms, base_ms = self._clock(), self._options.operation_base_ms
        rate = self._options.rows_per_second
        before_it = [] if self._options.in_parallel else _own(self.unfinished())
        started_ms = max([now_ms + int(base_ms * _RUNNING), *(other.ends_ms for other in before_it)])
        work_ms = int(base_ms * (1 - _RUNNING)) + (len(rows) * SECOND_MS // rate if rate else 0)
        return Operation(
            id=self._new_id(),
            type=kind,
            integration_id=integration_id,
            rows=rows,
            handler=handler,
            created_ms=now_ms,
            queued_ms=now_ms + int(base_ms * _QUEUED),
            started_ms=started_ms,
            ends_ms=started_ms + work_ms,
            size=len(rows),
        )


def _own(operations: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in operations if operation.integration_id is not None]
