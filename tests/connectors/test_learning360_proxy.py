"""360Learning's client through a proxy that has the platform below a path of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from connectors.clock import Clock
from connectors.learning360.client import Learning360Client
from sandbox.server import Sandbox
from tests.connections import learning360_settings

PREFIX = "/360"


def _handler(platform: str, *, rewrites: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Passes on what comes below the prefix."""

        def _pass_on(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            url = platform + self.path.removeprefix(PREFIX)
            answer = httpx.request(self.command, url, content=body, headers=headers, trust_env=False)
            self._pass_back(answer)

        do_GET = do_POST = _pass_on  # noqa: N815 - as the library names them

        def _pass_back(self, answer: httpx.Response) -> None:
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            if link := answer.headers.get("link"):
                own = f"http://{self.headers['host']}{PREFIX}"
                self.send_header("link", link.replace(platform, own) if rewrites else link)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def proxy_of(platform: str, *, rewrites: bool) -> Iterator[str]:
    """A proxy on loopback: the address at which it has the platform."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(platform, rewrites=rewrites)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("relative", "rewrites"),
    [(False, False), (True, False), (False, True)],
    ids=["links to the platform", "links without a host", "links to the proxy"],
)
async def test_links_are_followed_through_the_proxy(
    served: Sandbox, client_clock: Clock, *, relative: bool, rewrites: bool
) -> None:
    platform = served.learning360
    platform.options.page_cap, platform.options.relative_urls = 2, relative
    for number in range(5):
        platform.add_user(f"learner{number}@example.com")
    with proxy_of(served.url("learning360"), rewrites=rewrites) as address:
        settings = learning360_settings(served, api_url=address)
        async with Learning360Client(settings, clock=client_clock) as client:
            pages = [page async for page in client.users()]
    assert [len(page) for page in pages] == [2, 2, 2]
