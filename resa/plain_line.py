"""The short line: HTTP/1.1 to a server that is reached directly and without TLS, as a vLLM server of one's own is.

The protocol is httpcore's. What stands under it here, asyncio's streams, sends head and body of a request at once. With
httpcore's own, and httpx above, a request takes three times the processor time (`benchmarks/teacher_throughput.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from resa.chat_protocol import Unconnected


class Stream(httpcore.AsyncNetworkStream):
    """A connection. What is written leaves when an answer is waited for. Time limits are the caller's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._unsent: list[bytes] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            if self._unsent:
                self._writer.writelines(self._unsent)
                self._unsent = []
                await self._writer.drain()
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent.append(buffer)

    async def aclose(self) -> None:
        self._writer.close()

    def get_extra_info(self, info: str) -> Any:
        # Between two requests a server has nothing to say but that it has closed the connection.
        return self._reader.at_eof() if info == "is_readable" else None


class Network(httpcore.AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return Stream(*await asyncio.open_connection(host, port))
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


class PlainLine:
    """Args:
    url: where everything is posted to; headers: of every request.
    """

    def __init__(self, url: str, headers: Mapping[str, str], key: str) -> None:
        self.key = key
        self._url = httpcore.URL(url)
        host, port = self._url.host, self._url.port
        named = {"Host": f"{host.decode()}:{port}" if port else host.decode(), **headers}
        self._headers = [(name.encode(), value.encode()) for name, value in named.items()]
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request; returns status, headers (names in lower case) and body of the answer.

        Raises:
            Unconnected: there is no whole answer.
        """
        connection = await self._connection()
        headers = [*self._headers, (b"Content-Length", str(len(body)).encode())]
        try:
            answer = await connection.request("POST", self._url, headers=headers, content=body)
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unconnected(str(error)) from error
        if connection.is_idle():
            self._idle.append(connection)
        found = {name.decode().lower(): value.decode("latin-1") for name, value in answer.headers}
        return answer.status, found, answer.content

    async def _connection(self) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(self._url.origin, network_backend=Network())

    async def close(self) -> None:
        for connection in self._idle:
            await connection.aclose()
