"""Which target a piece of work is for, where there are several: told by Prefect's tags and in log lines."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect import tags

_served: ContextVar[str | None] = ContextVar("served", default=None)

logger = logging.getLogger("coursera_sync")


@contextmanager
def serving(target: str | None) -> Iterator[None]:
    """Work inside this context is for that target; None: for the only one, or for all."""
    if target is None:
        yield
        return
    token = _served.set(target)
    try:
        with tags(target):
            yield
    finally:
        _served.reset(token)


@contextmanager
def named_in_log() -> Iterator[None]:
    """Let log lines begin with the name of the target they are about."""
    handlers = list(logger.handlers)
    for handler in handlers:
        handler.addFilter(_named)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_named)


def _named(record: logging.LogRecord) -> bool:
    """Name the target in a record, once however many handlers it passes."""
    target = _served.get()
    if target is not None and not hasattr(record, "target"):
        record.target = target
        record.msg = f"{target}: {record.msg}"
    return True
