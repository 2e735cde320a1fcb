"""The bridge to lmms-eval: its files as version 0.7.3 writes them, and its command line with a stand-in that does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from eval.bridges.lmms_eval import command, main, surroundings
from eval.bridges.lmms_eval_results import RECORD, read_results
from resa.errors import ArtifactError, ConfigError

RESULTS: dict[str, Any] = {
    "results": {
        "pope": {
            "alias": "pope",
            "pope_accuracy,none": 0.875,
            "pope_accuracy_stderr,none": 0.0125,
            "pope_accuracy_stderr_clt,none": 0.0125,
            "pope_yes_ratio,none": 0.5,
            "pope_yes_ratio_stderr,none": "N/A",
            "submission,none": None,
        },
        "gsm": {" ": " ", "alias": "gsm", "exact_match,flexible": 0.25, "perplexity,none": 3.0},
    },
    "higher_is_better": {"pope": {"pope_accuracy": True}, "gsm": {"perplexity": False}},
    "n-samples": {"pope": {"original": 9000, "effective": 3}},
    "model_name": "m",
    "total_evaluation_time_seconds": "1.0",
}
SAMPLES = [
    {"doc_id": 0, "resps": [["yes"]], "filtered_resps": ["yes"]},
    {"doc_id": 1, "filtered_resps": ["[LMMS_EVAL_REQUEST_FAILED after 5 retries] 500"]},
    {"doc_id": 2, "resps": [["no [LMMS_EVAL_REQUEST_FAILED"]]},
]
STAND_IN = f"""
import json, os, sys
from pathlib import Path
said = dict(zip(sys.argv[1::2], sys.argv[2::2]))
Path(os.environ["SEEN"]).write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
if said["--tasks"] == "broken":
    print("Error during evaluation")
    sys.exit(0)  # as lmms-eval does
out = Path(sys.argv[sys.argv.index("--output_path") + 1]) / "m"
out.mkdir(parents=True, exist_ok=True)
stamp = f"20260101_{{len(list(out.iterdir())):06d}}"
(out / f"{{stamp}}_results.json").write_text({json.dumps(json.dumps(RESULTS))})
(out / f"{{stamp}}_samples_pope.jsonl").write_text({json.dumps("".join(json.dumps(row) + chr(10) for row in SAMPLES))})
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder whose summary has a utility."""
    folder = tmp_path / "run"
    folder.mkdir()
    score = {"value": 62.0, "low": 60.0, "high": 64.0, "n": 40, "reason": None}
    none = {"value": None, "low": None, "high": None, "n": 0, "reason": "no file"}
    parts = {"utility.choice": score, "utility.sums": none}
    (folder / "summary.json").write_text(json.dumps({"profiles": {}, "utility": score, "utility_parts": parts}))
    return folder


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that has a stand-in for lmms-eval."""
    package = tmp_path / "site" / "lmms_eval"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    file = tmp_path / "python"
    file.write_text(f'#!/bin/sh\nPYTHONPATH="{package.parent}" exec "{sys.executable}" "$@"\n')
    file.chmod(0o755)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen.json"))
    return file


def written(folder: Path) -> Path:
    (folder / "m").mkdir(parents=True)
    file = folder / "m" / "20260101_000000_results.json"
    file.write_text(json.dumps(RESULTS))
    file.with_name("20260101_000000_samples_pope.jsonl").write_text("\n".join(map(json.dumps, SAMPLES)))
    return file


def test_a_result_file_is_read_whole(tmp_path: Path) -> None:
    found = read_results(written(tmp_path))
    pope, gsm = found.tasks["pope"], found.tasks["gsm"]
    assert (found.model, pope.samples, pope.of, pope.failed, pope.unread) == ("m", 3, 9000, 1, ("submission",))
    accuracy = pope.metrics["pope_accuracy"]
    assert (accuracy.value, accuracy.stderr, accuracy.higher_is_better) == (0.875, 0.0125, True)
    assert pope.metrics["pope_yes_ratio"].stderr is None
    assert set(gsm.metrics) == {"exact_match,flexible", "perplexity"}
    assert (gsm.samples, gsm.failed, gsm.metrics["perplexity"].higher_is_better) == (None, None, False)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": 3}', "\udcff"])
def test_another_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a_results.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArtifactError, match="not a result file of lmms-eval"):
        read_results(file)


def test_results_stand_beside_the_runs_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "theirs")
    before = (run / "summary.json").read_bytes()
    assert main([str(run), "--read", str(tmp_path / "theirs")]) == 0
    shown = capsys.readouterr().out
    assert "| RESA | utility.choice | score, 0-100 | 62.0 | | 40 | |" in shown
    assert "| lmms-eval | pope | pope_accuracy | 0.875 | 0.0125 | 3 of 9000 | 1 |" in shown
    assert "| lmms-eval | gsm | perplexity (lower is better) | 3 |  |  | not kept |" in shown
    assert "| lmms-eval | pope | submission | no number |" in shown
    assert "pope: 1 answers are failed requests" in shown
    assert set(json.loads((run / RECORD).read_text())["tasks"]) == {"pope", "gsm"}
    assert (run / "summary.json").read_bytes() == before, "no score of ours has changed"


def test_an_earlier_record_of_other_tasks_stays(run: Path, tmp_path: Path) -> None:
    (run / RECORD).write_text(json.dumps({"tasks": {"old": {**record_row(), "metrics": {}}, "pope": record_row()}}))
    written(tmp_path / "theirs")
    assert main([str(run), "--read", str(tmp_path / "theirs")]) == 0
    tasks = json.loads((run / RECORD).read_text())["tasks"]
    assert sorted(tasks) == ["gsm", "old", "pope"]
    assert tasks["pope"]["metrics"]["pope_accuracy"]["value"] == 0.875


def record_row() -> dict[str, Any]:
    return {"model": "m", "file": "f", "sha256": "0", "metrics": {}, "samples": 1, "of": 1, "failed": 0, "unread": []}


def test_lmms_eval_is_run_in_its_own_environment(
    run: Path, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HF_TOKEN", "hf-secret")
    asked = [str(run), "--tasks", "pope,gsm", "--base-url", "http://127.0.0.1:1/v1", "--model", "m"]
    for _ in range(2):  # the second finds the first one's files there
        assert main([*asked, "--python", str(python), "--", "--limit", "3"]) == 0
    words, environ = json.loads((tmp_path / "seen.json").read_text())
    assert words[:4] == ["--model", "openai", "--model_args", "model=m,base_url=http://127.0.0.1:1/v1,timeout=600"]
    assert words[-2:] == ["--limit", "3"]
    assert not any("secret" in word for word in words)
    assert environ["OPENAI_API_KEY"] == "sk-secret"
    assert ("HF_TOKEN" in environ, environ["HUGGING_FACE_HUB_TOKEN"]) == (False, "hf-secret"), "it prints HF_TOKEN"
    record = json.loads((run / RECORD).read_text())
    assert record["tasks"]["pope"]["file"] == "20260101_000002_results.json"
    assert "secret" not in json.dumps(record)


def test_what_leaves_no_results_is_a_failure(run: Path, python: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--tasks", "broken", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--python", str(python)]
    assert main([str(run), *asked]) == 1
    assert "left no results (exit status 0)" in capsys.readouterr().err
    assert not (run / RECORD).exists()


def test_where_it_is_absent_the_install_line_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--tasks", "pope", "--base-url", "http://127.0.0.1:1/v1", "--model", "m"]
    for python in ([], ["--python", str(run / "none")]):
        assert main([str(run), *asked, *python]) == 1
        said = capsys.readouterr().err
        assert "resa[lmms-eval]" in said
        assert "pip install lmms-eval==0.7.3" in said


def test_what_it_cannot_be_told_is_named_first() -> None:
    with pytest.raises(ConfigError, match="comma"):
        command(Path("python"), Path("out"), "pope", "http://h/v1", "a,api_key=b", [])


def test_an_endpoint_without_a_key_gets_a_word_for_one() -> None:
    assert surroundings({})["OPENAI_API_KEY"] == "none"


def test_half_a_request_is_refused(run: Path) -> None:
    for asked in ([], ["--tasks", "pope"], ["--read", ".", "--tasks", "pope"], ["--read", ".", "--", "--limit", "3"]):
        with pytest.raises(SystemExit):
            main([str(run), *asked])
