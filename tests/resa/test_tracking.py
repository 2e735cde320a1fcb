"""Tracking by W&B for real, offline: what is told is in the run's file, and nothing else."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from resa.tracking import Tracker, Wandb, WandbTracker, read_losses, start

CHECKOUT = Path(__file__).resolve().parents[2]
BLOCK = 32768
HEADER = struct.Struct("<IHB")
SECRET = "planted-0123456789-secret"
RUN = """
import io, json, os, sys, time
from pathlib import Path
sys.path.insert(0, ".")
from resa.tracking import start

folder, end = Path(sys.argv[1]), sys.argv[2]
config = {"seed": 7, "method": {"name": "resa"}, "said": os.environ["MY_API_KEY"],
          "tracking": {"_target_": "resa.tracking.Wandb", "name": "wandb", "project": "tests"}}
tracker = start(config, folder, "group-of-runs")
print(tracker.where, flush=True)
losses = folder / "losses.jsonl"
with tracker.following([folder / "absent.jsonl", losses]):
    losses.write_text("".join(json.dumps({"step": n, "loss": 1.0 / n}) + "\\n" for n in (1, 2, 3)) + '{"step": 4, "lo')
if end == "killed":
    (file,) = Path(tracker.where).glob("run-*.wandb")
    until = time.monotonic() + 120
    while file.stat().st_size <= 7 and time.monotonic() < until:  # W&B writes every quarter of a minute
        time.sleep(0.5)
    os._exit(9)
tracker.stage("dataset", 12.5, False)
tracker.scores({"paper/overall": 61.25})
tracker.table("trade_off", ["key", "method"], [["T.I", 55.5], ["utility", None]])
from PIL import Image
png = io.BytesIO()
Image.new("RGB", (8, 8)).save(png, "PNG")
tracker.picture("trade_off_plot", png.getvalue())
tracker.finish(0)
"""


def run(folder: Path, end: str) -> Path:
    """Track a run in a process of its own; returns its offline run folder."""
    folder.mkdir()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    environ |= {"MY_API_KEY": SECRET, "OPENAI_API_KEY": SECRET}
    command = [sys.executable, "-c", RUN, str(folder), end]
    found = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=300)
    assert found.returncode == (9 if end == "killed" else 0), found.stderr
    assert not found.stderr, found.stderr
    return Path(found.stdout.splitlines()[0])


def records(folder: Path) -> list[Any]:
    """Every whole record of an offline run's file: protobuf in LevelDB's log format (blocks of 32 KiB; each chunk has a
    checksum, a length and a type: whole, first, middle, last)."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("run-*.wandb")
    raw = file.read_bytes()
    assert raw[:4] == b":W&B"
    found, begun, place = [], b"", HEADER.size
    while place + HEADER.size <= len(raw):
        left = BLOCK - place % BLOCK
        if left < HEADER.size:
            place += left
            continue
        _, length, kind = HEADER.unpack_from(raw, place)
        chunk = raw[place + HEADER.size : place + HEADER.size + length]
        if kind == 0 or len(chunk) < length:  # what a killed run leaves
            break
        begun, place = begun + chunk, place + HEADER.size + length
        if kind in (1, 4):
            found.append(Record.FromString(begun))
            begun = b""
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("tracking") / "20260101-resa-tiny-s7", "finished")


def history(found: list[Any]) -> list[dict[str, Any]]:
    rows = [record.history for record in found if record.WhichOneof("record_type") == "history"]
    return [{item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item} for row in rows]


def test_an_offline_run_is_in_the_run_folder_with_its_group_and_configuration(finished: Path) -> None:
    assert finished.parent.parent.name == "20260101-resa-tiny-s7"
    (said,) = [record.run for record in records(finished) if record.WhichOneof("record_type") == "run"]
    assert (said.project, said.run_group, said.display_name) == ("tests", "group-of-runs", "20260101-resa-tiny-s7")
    config = {item.key: json.loads(item.value_json) for item in said.config.update}
    assert config["seed"] == 7
    assert config["method"] == {"name": "resa"}
    assert config["said"] == "[redacted]"


def test_losses_stages_table_and_plot_are_told(finished: Path) -> None:
    rows = history(records(finished))
    assert [(row["train/step"], row["train/loss"]) for row in rows if "train/loss" in row] == [
        (1, 1.0),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert any(row.get("stage/dataset/seconds") == 12.5 for row in rows)
    (table,) = (finished / "files" / "media" / "table").glob("trade_off*.json")
    assert json.loads(table.read_text())["data"] == [["T.I", 55.5], ["utility", None]]
    assert len(list((finished / "files" / "media" / "images").glob("trade_off_plot*.png"))) == 1


def test_scores_are_the_summary(finished: Path) -> None:
    summaries = [record.summary for record in records(finished) if record.WhichOneof("record_type") == "summary"]
    told = {item.key or "/".join(item.nested_key): item.value_json for said in summaries for item in said.update}
    assert json.loads(told["paper/overall"]) == 61.25


def test_no_secret_of_the_environment_is_anywhere_in_the_run_folder(finished: Path) -> None:
    files = [file for file in finished.parent.parent.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]


def test_a_killed_run_has_its_configuration(tmp_path: Path) -> None:
    folder = run(tmp_path / "killed", "killed")
    (said,) = [record.run for record in records(folder) if record.WhichOneof("record_type") == "run"]
    assert json.loads(next(item.value_json for item in said.config.update if item.key == "seed")) == 7


def test_a_failing_tracker_is_shown_once_and_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def log(self, figures: object) -> None:
            raise ConnectionError("the network is down")

    tracker = WandbTracker(Broken(), None)
    for step in (1, 2):
        tracker.losses({"step": step, "loss": 1.0})
    tracker.finish(0)
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "tracking: W&B could not take a loss: ConnectionError: the network is down"
    assert len(said) == 2  # and one for the end, which is of another kind


def test_a_tracker_that_cannot_start_leaves_a_run_without_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no service")

    monkeypatch.setattr(Wandb, "_init", fails)
    node = {"_target_": "resa.tracking.Wandb", "mode": "online"}
    tracker = start({"tracking": node}, tmp_path, "g")
    assert type(tracker) is Tracker
    said = capfd.readouterr().err
    assert "could not start online: RuntimeError: no service" in said
    assert "could not start offline" in said
    assert "goes on without W&B" in said


@pytest.mark.parametrize(
    ("mode", "environ", "chosen"),
    [
        ("auto", {}, "offline"),
        ("auto", {"WANDB_API_KEY": "k"}, "online"),
        ("auto", {"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline"),
        ("offline", {"WANDB_API_KEY": "k"}, "offline"),
    ],
)
def test_offline_without_a_key(mode: str, environ: dict[str, str], chosen: str) -> None:
    assert Wandb(mode=mode).chosen_mode(environ) == chosen


def test_a_torn_last_line_is_left_for_the_next_look(tmp_path: Path) -> None:
    (tmp_path / "losses.jsonl").write_text('{"step": 1}\n{"st')
    assert read_losses([tmp_path / "nowhere", tmp_path / "losses.jsonl"]) == [{"step": 1}]
