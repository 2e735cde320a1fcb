"""An OpenAI-compatible server that answers after a fixed time, so many requests at a time, and fails as often as asked.

    python -m benchmarks.paced_server --latency 0.2 --allowed 64 --failing 0.1

Prints its address. What is above the allowed number is answered 429 at once, and counted; ``GET /stats`` tells. It
speaks just enough HTTP/1.1 for one client, in one thread, because a heavier server would be what is measured.

The same prompt always gets the same answer. Of all requests, a share fails, drawn by the prompt and by how often it
came before: a quarter each as 429, as 500, as half of a JSON body under a 200, and by never being answered. The first
three take as long as an answer does.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

FAULTS = ("busy", "broken", "cut", "silent")
REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass
class Pace:
    """How the server answers, and what it has seen.

    Attributes:
        latency: seconds; allowed: in flight; failing: share of requests.
        count: of requests by how they ended; most: in flight at any moment.
    """

    latency: float
    allowed: int
    failing: float
    count: Counter[str] = field(default_factory=Counter)
    seen: Counter[bytes] = field(default_factory=Counter)
    flying: int = 0
    most: int = 0

    def fault(self, prompt: bytes) -> str | None:
        """How this request fails; None where it does not."""
        before = self.seen[prompt]
        self.seen[prompt] += 1
        drawn = int.from_bytes(hashlib.blake2b(prompt, digest_size=8, salt=before.to_bytes(4)).digest()) / 2**64
        return FAULTS[int(drawn / self.failing * len(FAULTS))] if drawn < self.failing else None


def answer(body: bytes, prompt: bytes) -> bytes:
    """A thought whose verdict is what the brief's label asks for."""
    verdict = "disallowed. Plan: refuse" if b"one to decline" in body else "allowed. Plan: answer"
    text = f"<thought>I look at what is there, number {prompt.hex()}. Verdict: {verdict}.</thought>"
    message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 500, "completion_tokens": 100, "total_tokens": 600}
    return json.dumps({"id": "x", "object": "chat.completion", "choices": [message], "usage": usage}).encode()


def error(words: str) -> bytes:
    return json.dumps({"error": {"message": words}}).encode()


class Connection(asyncio.Protocol):
    """One connection; a client that waits for its answer before it asks again."""

    def __init__(self, pace: Pace) -> None:
        self.pace, self.received = pace, bytearray()
        self.due: asyncio.TimerHandle | None = None
        self.taken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.received[:end]).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if len(self.received) < end + 4 + length:
            return
        body = bytes(self.received[end + 4 : end + 4 + length])
        self.received.clear()
        if head.startswith(b"get /stats"):
            self.send(200, json.dumps({**self.pace.count, "most_in_flight": self.pace.most}).encode())
        else:
            self.asked(body)

    def asked(self, body: bytes) -> None:
        pace = self.pace
        if pace.flying >= pace.allowed:
            pace.count["above what is allowed"] += 1
            self.send(429, error("too many at a time"))
            return
        self.taken = True
        pace.flying += 1
        pace.most = max(pace.most, pace.flying)
        prompt = hashlib.blake2b(body, digest_size=8).digest()
        fault = pace.fault(prompt)
        if fault != "silent":
            self.due = asyncio.get_running_loop().call_later(pace.latency, self.due_now, body, prompt, fault)

    def due_now(self, body: bytes, prompt: bytes, fault: str | None) -> None:
        self.free(fault or "good")
        if fault == "busy":
            self.send(429, error("slow down"))
        elif fault == "broken":
            self.send(500, error("out of order"))
        else:
            whole = answer(body, prompt)
            self.send(200, whole[: len(whole) // 2] if fault == "cut" else whole)

    def free(self, how: str) -> None:
        if self.taken:
            self.taken = False
            self.pace.flying -= 1
            self.pace.count[how] += 1

    def send(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self.transport.write(head.encode() + b"\r\n\r\n" + body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.due is not None:
            self.due.cancel()
        self.free("left by the client")


async def serve(pace: Pace) -> None:
    """Serve on a free port of the loopback until cancelled; the address is the first line printed."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(pace), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--allowed", type=int, default=64)
    parser.add_argument("--failing", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(serve(Pace(given.latency, given.allowed, given.failing)))


if __name__ == "__main__":
    main()
