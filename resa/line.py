"""The line to an endpoint: connections that are kept open, one a request in flight.

The ``openai`` library says where to and with which headers (key, organisation, project, its environment variables);
sending is httpx's, or :mod:`resa.plain_line`'s. The library's own client and a pool shared by all requests take several
times the processor time of a request (`benchmarks/teacher_throughput.py`), and with that a single process does not keep
a fast server busy.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies

from resa.chat_protocol import Unconnected
from resa.errors import EngineError

if TYPE_CHECKING:
    from resa.endpoint import Endpoint

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Line(Protocol):
    """Sends requests. ``key``: never to be shown."""

    key: str

    async def post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request; returns status, headers (names in any case, or lower) and body of the answer.

        Raises:
            Unconnected: there is no whole answer.
        """
        ...

    async def close(self) -> None: ...


class HttpxLine:
    """Args:
    url: where everything is posted to; headers: of every request.
    trust_env: whether the environment's proxies are for this endpoint.
    """

    def __init__(self, url: str, headers: Mapping[str, str], key: str, trust_env: bool) -> None:
        import httpx

        self.key = key
        self._url, self._headers, self._trust_env = httpx.URL(url), headers, trust_env
        self._secured = httpx.create_ssl_context(trust_env=trust_env)
        self._idle: list[httpx.AsyncClient] = []

    async def post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """As :meth:`Line.post`."""
        import httpx

        client = self._idle.pop() if self._idle else self._new()
        try:
            request = httpx.Request("POST", self._url, headers=self._headers, content=body)
            answer = await client.send(request, follow_redirects=True)
        except httpx.RequestError as error:
            raise Unconnected(str(error.__cause__ or error)) from error
        finally:
            self._idle.append(client)  # where the request was broken off, its connection has been closed
        return answer.status_code, answer.headers, answer.content

    def _new(self) -> Any:
        import httpx

        alone = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return httpx.AsyncClient(limits=alone, timeout=None, verify=self._secured, trust_env=self._trust_env)

    async def close(self) -> None:
        for client in self._idle:
            await client.aclose()


@asynccontextmanager
async def connected(endpoint: Endpoint) -> AsyncIterator[Line]:
    """A line that is closed when the block ends.

    Raises:
        EngineError: there is no key.
    """
    client = library_client(endpoint)
    await client.close()  # it tells where and how, and sends nothing
    headers = {**client.default_headers, **client.auth_headers}
    told = {name: value for name, value in headers.items() if isinstance(value, str)}
    url, key = f"{str(client.base_url).rstrip('/')}/chat/completions", str(client.api_key)
    line: Line
    if url.startswith("http:") and (is_own(endpoint) or not getproxies()):
        from resa.plain_line import PlainLine

        line = PlainLine(url, told, key)
    else:
        line = HttpxLine(url, told, key, not is_own(endpoint))
    try:
        yield line
    finally:
        await line.close()


def is_own(endpoint: Endpoint) -> bool:
    """A server on this very machine, which is not asked through the proxy that the outside world is reached by."""
    return endpoint.base_url is not None and urlsplit(endpoint.base_url).hostname in LOOPBACK


def library_client(endpoint: Endpoint) -> Any:
    """The ``openai`` library's own client.

    Raises:
        EngineError: there is no key.
    """
    import openai

    key = os.environ.get(endpoint.api_key_env)
    if not key and endpoint.base_url is None:
        raise EngineError(
            "no API key",
            where=f"environment variable {endpoint.api_key_env}",
            remedy=f"export {endpoint.api_key_env}=...",
        )
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=key or "none",
        timeout=endpoint.timeout_s,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False) if is_own(endpoint) else None,
    )
