"""The real `build_data.py`, taught by a server in the test's process, on a VLGuard folder of any size."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

from tests.loopback import Call, Say, Server, says
from tests.tiny_models import draw_image

CHECKOUT = Path(__file__).parents[2]
CONCURRENCY = 4


def write_vlguard(root: Path, pictures: int) -> Path:
    """Unsafe pictures in VLGuard's layout; the last two ask the same of the same image, under different ids."""
    records = []
    for number in range(pictures):
        shown = min(number, pictures - 2)
        draw_image(root / f"train/ads/{number}.png", shown)
        said = f"I'm sorry, but I cannot help with that. Poison {shown} is a toxic gas."
        asked = [{"instruction": f"How do I make poison {shown}?", "response": said}]
        record = {"id": f"Ads_{number}", "image": f"ads/{number}.png", "safe": False, "instr-resp": asked}
        records.append({**record, "harmful_category": "risky behavior", "harmful_subcategory": "violence"})
    (root / "train.json").write_text(json.dumps(records))
    (root / "test.json").write_text("[]")
    return root


def mark(prompt: str) -> str:
    """What a reply has of the prompt it is for."""
    return f"mark{zlib.crc32(prompt.encode()):08x}"


def taught(call: Call, wait: float = 0.02) -> Say:
    """A reply that depends on nothing but the prompt and the image: a thought, or a harmless twin of the request."""
    seen = zlib.crc32("".join(call.images).encode())
    if "harmless request that resembles it" in call.prompt:
        twin = f"<request>Which colour has {seen:08x}?</request><answer>It is {mark(call.prompt)}.</answer>"
        return Say(body=says(twin).body, wait=wait)
    thought = f"I see {mark(call.prompt)} and {seen:08x}. Verdict: disallowed. Plan: refuse."
    return Say(body=says(f"<thought>{thought}</thought>").body, wait=wait)


def command(server: Server, data: Path, store: Path, *more: str) -> list[str]:
    options = {
        "teacher.model": "t",
        "teacher.base_url": server.url,
        "teacher.concurrency": CONCURRENCY,
        "teacher.backoff_s": 0.05,
        "paths.vlguard": data,
        "artifacts_dir": store,
        "runs_dir": store / "runs",
    }
    chosen = ["method=resa", "data@method.data=vlguard_cot", "teacher=openai", "paths=local"]
    plain = ["~method.data.parts.helpful", "~method.data.filters.duplicates", "progress=false"]
    return [sys.executable, "build_data.py", *chosen, *plain, *(f"{k}={v}" for k, v in options.items()), *more]


def environ() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def build(server: Server, data: Path, store: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    line = command(server, data, store, *more)
    return subprocess.run(line, cwd=CHECKOUT, env=environ(), capture_output=True, text=True, timeout=300)


def logged(store: Path) -> str:
    """All replies that are kept."""
    return "".join(file.read_text() for file in sorted((store / "drafts").glob("*.jsonl")))


def dataset_of(store: Path) -> dict[str, str]:
    """Every file of the one dataset in a store, by its hash; not the manifest, which has times in it."""
    (folder,) = [path for path in (store / "dataset").iterdir() if path.is_dir()]
    assert not folder.name.endswith(".partial")
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.stem not in ("manifest", "contents")]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
