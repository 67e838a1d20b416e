"""How large an answer may become: what is packed, or endless, must not fill the memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

MIB = 2**20
# An empty list takes two bytes of an answer, and seventy in memory. A full operation's results have a fifth.
MOST_CONTAINERS = 2_000_000


@dataclass(frozen=True)
class SizeLimit:
    """The most MiB of an answer, unpacked, and the setting that says so."""

    mib: int
    setting: str


class AnswerTooLargeError(httpx.RequestError):
    """An answer is larger than it may be. Raise the limit, if that is right."""


class _BoundedBody(httpx.AsyncByteStream):
    """An answer's body, unpacked as it comes."""

    def __init__(self, response: httpx.Response, limit: SizeLimit) -> None:
        self._unpacking = httpx.Response(200, headers=response.headers, stream=response.stream)
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._unpacking.aiter_bytes():
            size += len(chunk)
            if size > self._limit.mib * MIB:
                raise AnswerTooLargeError(
                    f"more than {self._limit.mib} MiB. If that is right, raise {self._limit.setting}"
                )
            yield chunk

    async def aclose(self) -> None:
        await self._unpacking.aclose()


def bound(response: httpx.Response, limit: SizeLimit) -> None:
    """Have reading an answer, whose body has not been read yet, fail where it is larger than the limit.

    A piece off the wire grows at most a thousandfold when it is unpacked; packed twice over there would be
    no bound, and no platform does that.
    """
    if "," in response.headers.get("content-encoding", ""):
        raise httpx.DecodingError("packed more than once", request=response.request)
    response.stream = _BoundedBody(response, limit)
    response.headers.pop("content-encoding", None)


def require_few_containers(response: httpx.Response) -> None:
    """Raise AnswerTooLargeError where JSON has too many lists and objects; brackets in texts count, too."""
    if response.content.count(b"[") + response.content.count(b"{") > MOST_CONTAINERS:
        message = f"more than {MOST_CONTAINERS:,} lists and objects"
        raise AnswerTooLargeError(message, request=response.request)
