"""The answering stage: the same bytes (timings apart) however it is interrupted, shared out or repeated."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.engines.hf import HfEngine
from eval.generating import RESPONSES, read_responses, read_samples
from eval.stage import make_responses, responses_stage
from launch.local import Torchrun
from resa.artifacts import CONTENTS, MANIFEST, Artifact, ArtifactStore, read_jsonl
from resa.errors import DataError, EngineError
from resa.generation import answer
from resa.launching import InProcess
from resa.method import empty_method
from resa.places import Places
from tests.eval.stages.standin import StandIn, make_in_process
from tests.loopback import Call, Say, fails, says, serving

HEAVY = ["torch", "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl", "eval.engines.hf_generator", "resa.models.load"]

COUNT = 240
"""Samples: enough batches that a fast machine does not end before it is killed three times."""


def rows(artifact: Artifact) -> list[dict[str, Any]]:
    """The stored rows without their timings, in the stored order."""
    return [{**row, "seconds": 0} for row in read_jsonl(artifact.path / RESPONSES)]


@pytest.fixture(scope="module")
def whole(lively_model: Path, places: Places, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What an undisturbed run on one rank answers to all samples."""
    store = ArtifactStore(tmp_path_factory.mktemp("whole"))
    return rows(make_responses(sized(lively_model, COUNT), store, InProcess(), places, None))


def sized(model: Path, count: int) -> dict[str, Any]:
    return {
        "benchmark": {"_target_": "tests.eval.stages.standin.StandIn", "name": "standin", "count": count, "limit": 12},
        "engine": {"_target_": "eval.engines.hf.HfEngine", "name": "hf", "batch_size": 4, "thought_tokens": 4},
        "model": {"path": str(model), "name": "lively", "dtype": "float32", "plain": True},
        "progress": False,
    }


def test_every_sample_has_one_response_in_sample_order(config: dict[str, Any], places: Places, tmp_path: Path) -> None:
    made = make_responses(config, ArtifactStore(tmp_path), InProcess(), places, None)
    samples, responses = read_samples(made.path), read_responses(made.path)
    assert [response.sample_id for response in responses] == [sample.id for sample in samples]
    assert len(samples) == made.contents["samples"] == 40
    assert made.contents["errors"] == 0
    assert not (made.path / "parts").exists()


def test_a_finished_stage_is_found_again_without_loading_a_model(
    config: dict[str, Any], places: Places, tmp_path: Path
) -> None:
    make_responses(config, ArtifactStore(tmp_path), InProcess(), places, None)
    planning = (
        "import json, sys; from pathlib import Path; from eval.stage import make_responses; "
        "from resa.artifacts import ArtifactStore; from resa.places import Places; "
        "config, roots, root = json.loads(sys.argv[1]); "
        "found = make_responses(config, ArtifactStore(Path(root)), None, Places(roots), None); "
        "assert found.reused and not {'torch', 'transformers', 'openai'} & set(sys.modules), 'heavy imports'"
    )
    given = json.dumps([config, dict(places.roots), str(tmp_path)])
    subprocess.run([sys.executable, "-c", planning, given], check=True, timeout=60)


def test_killed_three_times_at_random_it_answers_the_same(
    lively_model: Path, places: Places, whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(HEAVY)
    rng, killed = random.Random(), 0
    config = sized(lively_model, COUNT)
    partial = ArtifactStore(tmp_path).path(responses_stage(config, places, None)).with_suffix(".partial")
    while killed < 3:
        run = processes.Process(target=make_in_process, args=(config, str(tmp_path), dict(places.roots)))
        before = answered(partial)
        run.start()
        while run.is_alive() and answered(partial) == before:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.15))
        assert run.is_alive(), "the run ended before it was killed three times: give it more samples"
        run.kill()
        run.join()
        killed += 1
    tear(partial, rng)
    made = make_responses(config, ArtifactStore(tmp_path), InProcess(), places, None)
    assert rows(made) == whole


@pytest.mark.parametrize("parts", ["parts", "no parts"])
def test_killed_between_the_merge_and_the_manifest_nothing_is_answered_again(
    config: dict[str, Any], places: Places, tmp_path: Path, parts: str
) -> None:
    store = ArtifactStore(tmp_path)
    made = make_responses(config, store, InProcess(), places, None)
    partial = made.path.rename(made.path.with_name(f"{made.path.name}.partial"))
    for name in (MANIFEST, CONTENTS):
        (partial / name).unlink()
    if parts == "parts":
        (partial / "parts").mkdir()
        shutil.copy(partial / RESPONSES, partial / "parts" / "00000.jsonl")
    answers = list(read_jsonl(partial / RESPONSES))  # with their timings: answered anew, these would differ
    again = make_responses(config, store, InProcess(), places, None)
    assert not again.reused
    assert list(read_jsonl(again.path / RESPONSES)) == answers
    assert not (again.path / "parts").exists()


def answered(partial: Path) -> int:
    return sum(file.stat().st_size for file in partial.glob("parts/*.jsonl"))


def tear(partial: Path, rng: random.Random) -> None:
    """Cut the log in the middle of a line, as a kill during a write does."""
    file = next(partial.glob("parts/*.jsonl"))
    raw = file.read_bytes()
    file.write_bytes(raw[: rng.randrange(len(raw) // 2, len(raw))])


def test_two_ranks_answer_as_one_and_may_take_over_from_another_number(
    lively_model: Path, places: Places, whole: list[dict[str, Any]], tmp_path: Path
) -> None:
    config, store = sized(lively_model, COUNT), ArtifactStore(tmp_path / "store")
    partial = store.path(responses_stage(config, places, None)).with_suffix(".partial")
    # What three ranks of a killed attempt could have left: some rows, the last line of one part torn.
    (partial / "parts").mkdir(parents=True)
    for rank in range(3):
        lines = [json.dumps(row, sort_keys=True) + "\n" for row in whole[rank * 7 : rank * 7 + 3]]
        (partial / f"parts/{rank:05d}.jsonl").write_text("".join(lines)[: -9 if rank == 2 else None])
    (partial / "batching.json").write_text('{"rows": 5, "tokens": 2000}')  # what its device had room for
    config["engine"]["batch_size"] = "auto"
    made = make_responses(config, store, Torchrun(2, tmp_path / "launch"), places, None)
    assert made.contents["ranks"] == 2
    assert rows(made) == whole
    assert json.loads((made.path / "batching.json").read_text())["rows"] == 5


def test_the_key_follows_what_shapes_answers_and_nothing_else(config: dict[str, Any], places: Places) -> None:
    key = responses_stage(config, places, None).key
    engine, benchmark = config["engine"], config["benchmark"]
    assert responses_stage({**config, "engine": {**engine, "batch_size": 1}, "progress": True}, places, None).key == key
    assert responses_stage({**config, "engine": {**engine, "thought_tokens": 9}}, places, None).key != key
    assert responses_stage({**config, "benchmark": {**benchmark, "count": 41}}, places, None).key != key
    assert responses_stage({**config, "model": {**config["model"], "min_pixels": 99}}, places, None).key != key


def endpoint(config: dict[str, Any], url: str, **settings: Any) -> dict[str, Any]:
    node = {"_target_": "eval.engines.openai.OpenAIEngine", "name": "openai", "model": "m", "base_url": url}
    return {**config, "engine": {**node, "attempts": 1, "give_up_after": 1000, "backoff_s": 0.01, **settings}}


def test_failures_are_counted_and_named_and_another_attempt_asks_only_them(
    config: dict[str, Any], places: Places, tmp_path: Path
) -> None:
    def flaky(call: Call) -> Say:
        return fails(500, "sorry") if call.prompt.endswith("7") and not call.seen_before else says("fine")

    store = ArtifactStore(tmp_path)
    with serving(flaky) as server:
        asked = endpoint(config, server.url)
        first = make_responses(asked, store, InProcess(), places, None)
        assert first.contents["errors"] == 4
        assert [failure["sample_id"][-1] for failure in first.contents["failed"]] == ["7"] * 4
        assert "HTTP 500" in first.contents["failed"][0]["error"]
        assert make_responses(asked, store, InProcess(), places, None).reused
        calls = len(server.calls)
        second = make_responses({**asked, "attempt": 1}, store, InProcess(), places, None)
        assert len(server.calls) - calls == 4
    assert second.contents["errors"] == 0
    assert [row["sample_id"] for row in rows(second)] == [row["sample_id"] for row in rows(first)]


def test_an_endpoint_that_dies_leaves_its_answers_for_the_next_run(
    config: dict[str, Any], places: Places, tmp_path: Path
) -> None:
    down, store = [False], ArtifactStore(tmp_path)

    def dying(call: Call) -> Say:
        down[0] = down[0] or (call.prompt.endswith("20") and not call.seen_before)
        return fails(503) if down[0] else says("fine")

    with serving(dying) as server:
        asked = endpoint(config, server.url, concurrency=1, give_up_after=5)
        with pytest.raises(EngineError, match="same command again"):
            make_responses(asked, store, InProcess(), places, None)
        assert len(server.calls) == 25
        down[0] = False
        made = make_responses(asked, store, InProcess(), places, None)
        assert len(server.calls) == 25 + 20, "the twenty answers that came are not asked for again"
    assert made.contents["status"] == {"complete": 40}


def test_when_nothing_can_be_answered_there_is_no_artifact(
    config: dict[str, Any], places: Places, tmp_path: Path
) -> None:
    with serving(lambda call: fails(400, "no images here")) as server:
        asked, store = endpoint(config, server.url), ArtifactStore(tmp_path)
        with pytest.raises(EngineError, match="none of 40 samples could be answered; the first: HTTP 400"):
            make_responses(asked, store, InProcess(), places, None)
    assert store.find(responses_stage(asked, places, None)) is None


def test_a_missing_dataset_is_found_before_a_model_is_loaded(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"paths\.multitrust"):
        make_responses(config, ArtifactStore(tmp_path), InProcess(), Places({}), None)


def test_a_checkpoints_guard_stands_before_the_model(
    config: dict[str, Any], lively_model: Path, places: Places, tmp_path: Path
) -> None:
    small = {**config, "benchmark": {**config["benchmark"], "count": 4}}
    plain = make_responses(small, ArtifactStore(tmp_path / "store"), InProcess(), places, None)
    checkpoint = shutil.copytree(lively_model, tmp_path / "checkpoint")
    guard = {"_target_": "tests.eval.stages.standin.Bracket", "name": "bracket"}
    replace(empty_method(), name="guarded", guard=guard).save(checkpoint)
    guarded = make_responses(small, ArtifactStore(tmp_path / "store"), InProcess(), places, checkpoint)
    assert not guarded.reused
    assert [one.answer for one in read_responses(guarded.path)] == [
        f"[{one.answer}]" for one in read_responses(plain.path)
    ]


def test_the_model_is_gone_once_the_answers_are_there(lively_model: Path, places: Places) -> None:
    samples = StandIn(count=2).samples(places.roots)
    with HfEngine(batch_size=2).open({"path": str(lively_model), "plain": True}, None) as generator:
        answer(generator, samples)
        model = weakref.ref(generator.model)  # type: ignore[attr-defined]
    assert model() is None, "a judge's model would have to share the device with it"
