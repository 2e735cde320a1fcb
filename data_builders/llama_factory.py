"""A dataset in LLaMA-Factory's sharegpt format: ``NAME.jsonl``, ``images/``, ``dataset_info.json``.

After hiyouga/LLaMA-Factory, data/README.md at 2ad9871bb402d0d4682466970bd404c650f05b9c: messages under
``conversations``, user and assistant in turn; ``system`` and ``images`` in columns of their own; exactly as many
``<image>`` in the messages as images; for preference pairs (``ranking``) the conversation ends with the user and
``chosen`` and ``rejected`` are one message each. Messages that do not take turns are skipped there with a warning
(src/llamafactory/data/converter.py at 02e2fb34bf8a79330b080607872fe4565876d0e6), and a text that itself says
``<image>`` would stop it; such rows are left out here, by name.

LLaMA-Factory learns every assistant message of a conversation, and a row's history is not to be learnt: train with
``mask_history: true``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from data_builders.finished import Dataset
from resa.artifacts import write_atomically
from resa.errors import DataError

INFO, IMAGES = "dataset_info.json", "images"
PLACEHOLDER = "<image>"
TAKEN = ("<image>", "<video>", "<audio>")
"""Words that LLaMA-Factory replaces by media wherever they stand."""
SPEAKERS = {"user": "human", "assistant": "gpt"}
TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "system_tag": "system",
}
EXAMPLES = 10


@dataclass
class Export:
    """An export while it is written. ``rows``: dataset -> rows; ``left_out``: reason -> how many, and the first ids."""

    folder: Path
    copy: bool
    rows: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, dict[str, Any]] = field(default_factory=dict)
    _copied: dict[str, str] = field(default_factory=dict)

    def example(self, row: Mapping[str, Any], pair: bool) -> dict[str, Any]:
        """A row in sharegpt form."""
        said = {"id": row["id"], **conversation(row, pair)}
        return {**said, "images": [self._image(image, row["id"]) for image in row["images"]]}

    def leave_out(self, reason: str, row: Mapping[str, Any]) -> None:
        found = self.left_out.setdefault(reason, {"rows": 0, "examples": []})
        found["rows"] += 1
        if len(found["examples"]) < EXAMPLES:
            found["examples"].append(row["id"])

    def _image(self, path: str, row: str) -> str:
        """Where the export finds an image: below its own folder, named by content, or where it lies."""
        if not Path(path).is_file():
            raise DataError(
                "an image of the dataset is not there any more",
                where=f"{row}: {path}",
                remedy="put it back, or delete the dataset's folder and build it again",
            )
        if not self.copy:
            return str(Path(path).resolve())
        if path not in self._copied:
            with open(path, "rb") as stream:
                name = hashlib.file_digest(stream, "sha256").hexdigest()[:24] + Path(path).suffix.lower()
            target = self.folder / IMAGES / name
            target.parent.mkdir(exist_ok=True)
            if not target.exists():
                shutil.copyfile(path, target)
            self._copied[path] = f"{IMAGES}/{name}"
        return self._copied[path]


def conversation(row: Mapping[str, Any], pair: bool) -> dict[str, Any]:
    """``conversations`` and ``system`` of a row; with ``pair`` also ``chosen`` and ``rejected``, in place of the last
    message. A row must be :func:`fitting`."""
    turns = row["prompt"]
    system = [turn["text"] for turn in turns if turn["role"] == "system"]
    said = [
        {"from": SPEAKERS[turn["role"]], "value": PLACEHOLDER * len(turn["images"]) + turn["text"]}
        for turn in turns
        if turn["role"] != "system"
    ]
    last = {"from": "gpt", "value": row["completion"]}
    if pair:
        answers = {"chosen": last, "rejected": {"from": "gpt", "value": row["rejected"]}}
        return {"conversations": said, "system": "\n\n".join(system), **answers}
    return {"conversations": [*said, last], "system": "\n\n".join(system)}


def fitting(row: Mapping[str, Any]) -> str | None:
    """Why a row cannot be said in this format; None where it can."""
    roles = [turn["role"] for turn in row["prompt"]]
    spoken = [role for role in roles if role != "system"]
    if spoken != ["user", "assistant"] * (len(spoken) // 2) + ["user"]:
        return "its turns do not alternate"
    if roles[len(roles) - len(spoken) :] != spoken or any(t["images"] for t in row["prompt"] if t["role"] == "system"):
        return "a system turn that is not at the beginning, or has images"
    texts = [*(turn["text"] for turn in row["prompt"]), row["completion"], row.get("rejected") or ""]
    if any(word in text for text in texts for word in TAKEN):
        return f"its text says {', '.join(TAKEN)}"
    return None


def write(dataset: Dataset, folder: Path, name: str, copy: bool) -> dict[str, Any]:
    """Fill ``folder``: rows go to ``NAME``, preference pairs to ``NAME_pairs``; each row stands in one of them, in the
    order of ``rows.jsonl``, save that the first one with an image comes first. (``datasets``, with which LLaMA-Factory
    reads, takes a column's type from the first 10 MB, and fails at the first image where these hold none.)

    Returns:
        ``rows``: of each dataset. ``left_out``: reason -> ``rows`` and the first ids.

    Raises:
        DataError: an image is missing, or the name cannot be a file's.
    """
    if Path(name).name != name or name.startswith("."):
        raise DataError("not a name for a dataset", where=repr(name), remedy="give --name letters, digits and _")
    made = Export(folder, copy)
    leaders = _leaders(dataset, name)
    with ExitStack() as stack:
        files: dict[str, IO[str]] = {}

        def put(kind: str, row: Mapping[str, Any]) -> None:
            example = made.example(row, "rejected" in row)
            if kind not in leaders:
                del example["images"]
            files[kind].write(json.dumps(example, ensure_ascii=False) + "\n")
            made.rows[kind] = made.rows.get(kind, 0) + 1

        for row in dataset.rows():
            reason, kind = fitting(row), _kind(row, name)
            if reason is not None:
                made.leave_out(reason, row)
                continue
            leader = leaders.get(kind)
            if kind not in files:
                files[kind] = stack.enter_context((folder / f"{kind}.jsonl").open("w", encoding="utf-8"))
                if leader is not None:
                    put(kind, leader)
            if leader is None or row["id"] != leader["id"]:
                put(kind, row)
    info = {kind: described(kind, kind != name, kind in leaders) for kind in sorted(made.rows)}
    write_atomically(folder / INFO, json.dumps(info, indent=2) + "\n")
    return {"rows": dict(sorted(made.rows.items())), "left_out": dict(sorted(made.left_out.items()))}


def described(name: str, pairs: bool, images: bool) -> dict[str, Any]:
    """The entry of ``dataset_info.json``."""
    columns = {"messages": "conversations", "system": "system"}
    columns |= {"images": "images"} if images else {}
    columns |= {"chosen": "chosen", "rejected": "rejected"} if pairs else {}
    ranking = {"ranking": True} if pairs else {}
    return {"file_name": f"{name}.jsonl", "formatting": "sharegpt", **ranking, "columns": columns, "tags": TAGS}


def _kind(row: Mapping[str, Any], name: str) -> str:
    return f"{name}_pairs" if "rejected" in row else name


def _leaders(dataset: Dataset, name: str) -> dict[str, dict[str, Any]]:
    """The first row with an image of each dataset that has one."""
    found: dict[str, dict[str, Any]] = {}
    for row in dataset.rows():
        kind = _kind(row, name)
        if row["images"] and kind not in found and fitting(row) is None:
            found[kind] = row
    return found
