"""What a build of a million records costs: wall time, peak memory, and rows a second of each stage.

    python -m benchmarks.data_scale --records 1000000 --folder /tmp/scale

Writes a deterministic synthetic set (half of it JSON Lines with text alone, half a LLaVA JSON over a few thousand
pictures; one record in a hundred repeated, one in a hundred nearly, some shared with an evaluation set), runs the real
``build_data.py`` on it with the template teacher and the filters of ``data=jsonl``, and prints one line of JSON: the
funnel, seconds, and the highest resident memory of any process of the build. Then each stage alone over the same first
records, so that the slow ones show. The machine's own noise is in every figure.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

PICTURES, EVALUATED, ALONE = 3000, 2000, 20_000
SORRY = "I'm sorry, but I can't help with that."
CHECKOUT = Path(__file__).resolve().parents[1]


def vocabulary() -> list[str]:
    """5,000 words of two to four syllables."""
    rng, syllables = random.Random(0), [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return sorted({"".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(5200)})[:5000]


def draw(file: Path, number: int) -> None:
    """A picture of coloured boxes."""
    from PIL import Image, ImageDraw

    rng = random.Random(number)
    picture = Image.new("RGB", (96, 96), tuple(rng.randrange(256) for _ in range(3)))
    for _ in range(8):
        x, y, w, h = (rng.randrange(80) for _ in range(4))
        ImageDraw.Draw(picture).rectangle([x, y, x + w, y + h], fill=tuple(rng.randrange(256) for _ in range(3)))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)


def records(count: int, words: list[str], evaluated: list[str]) -> Iterator[tuple[str, str, bool]]:
    """(prompt, answer, harmful); the same count gives the same records."""
    rng, last = random.Random(1), ""
    for number in range(count):
        kind, harmful = number % 100, rng.random() < 0.3
        prompt = f"{' '.join(rng.choices(words, k=rng.randint(12, 60)))}?"
        if kind == 1:  # the same words again
            prompt = last.upper()
        elif kind == 2:  # the same but for a word
            prompt = f"{last} please"
        elif number % 1000 == 3:
            prompt = rng.choice(evaluated)
        answer = " ".join(rng.choices(words, k=rng.randint(30, 120))) + "."
        yield prompt, f"{SORRY} {answer}" if harmful else answer, harmful
        last = prompt


def write(folder: Path, count: int) -> None:
    """The sources and the evaluation set."""
    words, rng = vocabulary(), random.Random(2)
    evaluated = [" ".join(rng.choices(words, k=rng.randint(14, 40))) for _ in range(EVALUATED)]
    for number in range(PICTURES):
        draw(folder / f"mix/images/{number}.png", number)
    for number in range(EVALUATED // 4):
        draw(folder / f"evaluation/images/{number}.png", number if number < 10 else PICTURES + number)
    (folder / "evaluation/prompts.json").write_text(json.dumps([{"prompt": prompt} for prompt in evaluated]))
    (folder / "own").mkdir(exist_ok=True)
    with (folder / "own/data.jsonl").open("w") as text, (folder / "mix/llava_mix.json").open("w") as mix:
        for number, (prompt, answer, harmful) in enumerate(records(count, words, evaluated)):
            if number < count // 2:
                label = "harmful" if harmful else "benign"
                text.write(json.dumps({"prompt": prompt, "response": answer, "label": label}) + "\n")
                continue
            record: dict[str, Any] = {"id": str(number), "image": f"{number % PICTURES}.png"}
            says = [("human", f"<image>\n{prompt}"), ("gpt", answer.removeprefix(SORRY).strip())]
            record["conversations"] = [{"from": who, "value": what} for who, what in says]
            mix.write(("[" if number == count // 2 else ",\n") + json.dumps(record))
        mix.write("]")


def overrides(folder: Path) -> list[str]:
    """The command line of the build."""
    return [
        "method=resa",
        "data@method.data=jsonl",
        "+source@method.data.parts.mix.source=llava_mix",
        "+method.data.parts.own.source.fields.label=label",
        "paths=local",
        f"paths.jsonl={folder / 'own'}",
        f"paths.llava_mix={folder / 'mix'}",
        f"paths.multitrust={folder / 'evaluation'}",
        "progress=false",
    ]


def build(folder: Path) -> dict[str, Any]:
    """Run the door in a process of its own, in ``folder``."""
    started = time.perf_counter()
    command = [sys.executable, str(CHECKOUT / "build_data.py"), *overrides(folder)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    seconds = time.perf_counter() - started
    if ran.returncode:
        raise SystemExit(ran.stdout + ran.stderr)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    made = next(iter((folder / "artifacts/dataset").glob("*/contents.json")))
    contents = json.loads(made.read_text())
    steps = {step["step"]: {"in": step["in"], "out": step["out"], **step["dropped"]} for step in contents["funnel"]}
    return {
        "rows": contents["rows"],
        "seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_gib": round(usage.ru_maxrss / (1 << (30 if sys.platform == "darwin" else 20)), 2),
        "funnel": steps,
    }


def stages(folder: Path) -> Iterator[tuple[str, float]]:
    """(stage, rows a second) over the first rows, each stage by itself."""
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from data_builders.counts import Statistics
    from data_builders.filters.base import Surroundings
    from data_builders.intake import Drawing, Images, Intake
    from data_builders.output import write_hf
    from data_builders.rows import Row
    from data_builders.teachers.base import Workshop

    with initialize_config_dir(str(CHECKOUT / "conf"), version_base="1.3"):
        config: Any = OmegaConf.to_container(compose("build_data", overrides=overrides(folder)), resolve=True)
    recipe = instantiate(config["method"]["data"], _convert_="all")
    teacher = instantiate(config["teacher"], _convert_="all")
    roots = {name: config["paths"][name] for name in ("jsonl", "llava_mix", "multitrust")}
    rows: list[Row] = []
    for name, part in recipe.parts.items():
        started, looked, begun = time.perf_counter(), Images(), len(rows)
        for row in Intake(part.source, Path(roots[part.source.root]), Drawing(name, part.turns), looked):
            rows.append(row)
            if len(rows) - begun == ALONE // 2:
                break
        yield f"read {name}", (len(rows) - begun) / (time.perf_counter() - started)

    def timed(work: Callable[[], Any]) -> float:
        started = time.perf_counter()
        work()
        return len(rows) / (time.perf_counter() - started)

    def each(work: Callable[[Row], Any]) -> None:
        for row in rows:
            work(row)

    with teacher.open(Workshop(recipe.answers, folder, roots, {})) as rewrite:
        taught: list[Row] = []
        rows = [Row(**{**vars(row), "thinks": True}) for row in rows]
        yield f"teacher {teacher.name}", timed(lambda: taught.extend(row for row, _ in rewrite(rows)))
    rows = taught
    for name, chosen in recipe.filters.items():
        check = chosen.open(Surroundings(roots))
        yield f"filter {name}", timed(partial(each, check))
    statistics = Statistics()
    yield "statistics", timed(partial(each, statistics.add))
    with tempfile.TemporaryDirectory() as place, (Path(place) / "rows.jsonl").open("w") as out:
        yield "rows.jsonl", timed(lambda: [out.write(json.dumps(row.to_json()) + "\n") for row in rows])
        out.flush()
        yield "hf", timed(lambda: write_hf(Path(place), False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    parser.add_argument("--stages-only", action="store_true", help="write the records, do not build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, options.records)
        if not options.stages_only:
            print(json.dumps(build(folder)), flush=True)
        for stage, speed in stages(folder):
            print(f"{stage:24} {speed:10,.0f} rows/s", flush=True)


if __name__ == "__main__":
    main()
