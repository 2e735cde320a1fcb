"""A dataset whose teacher fails one request in ten is, byte for byte, the one of a teacher that never fails."""

from __future__ import annotations

import random
from pathlib import Path

from tests.data_builders.taught import build, dataset_of, taught, write_vlguard
from tests.loopback import Call, Say, fails, serving

FAULTS = {
    "busy": fails(429, "slow down"),
    "broken": fails(500, "out of order"),
    "cut": Say(body='{"choices": [{"message": {"role": "assistant", "con'),
    "silent": Say(wait=30),
}


def test_failures_change_no_byte(tmp_path: Path) -> None:
    failed = 0
    failing = True

    def say(call: Call) -> Say:
        nonlocal failed
        rng = random.Random(f"{call.prompt}|{call.images}|{call.seen_before}")
        if not failing or rng.random() >= 0.1:
            return taught(call)
        failed += 1
        return FAULTS[rng.choice(sorted(FAULTS))]

    def built(name: str) -> dict[str, str]:
        done = build(server, data, tmp_path / name, "teacher.timeout_s=1", "teacher.concurrency=16")
        assert done.returncode == 0, done.stderr
        return dataset_of(tmp_path / name)

    data = write_vlguard(tmp_path / "vlguard", pictures=150)
    with serving(say) as server:  # one address for both, since the card names it
        with_failures = built("failing")
        failing = False
        assert with_failures == built("good")
    assert failed > 10
