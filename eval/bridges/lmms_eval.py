"""A run's utility as lmms-eval measures it, kept beside its own scores.

    python -m eval.bridges.lmms_eval RUN_DIR --tasks pope,mmstar --base-url http://host:8000/v1 --model NAME
    python -m eval.bridges.lmms_eval RUN_DIR --read FOLDER

The first has lmms-eval, in the environment of ``--python``, ask the model that an OpenAI-compatible server names; the
second takes the result files of any run of lmms-eval. Both write ``lmms_eval.json`` into the run folder and print it
beside the run's own utility. Guards and thoughts' extra tokens are ours: what the server serves is what is measured.
Command line and files are those of lmms-eval 0.7.3 (lmms_eval/__main__.py, lmms_eval/models/chat/openai.py).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.bridges.lmms_eval_results import Measured, find_results, read_results, show, write_record
from eval.engines.server import LEFT_OUT
from eval.report.summary import SUMMARY, read_summary
from resa.errors import ArtifactError, ConfigError, EngineError, ResaError

VERSION = "0.7.3"
FOLDER = "lmms_eval"
"""In the run folder: what lmms-eval writes."""
TIMEOUT_S = 600
"""lmms-eval gives a request 10 seconds where it is not told otherwise."""


def interpreter(python: Path) -> Path:
    """``python``, where it has lmms-eval.

    Raises:
        ConfigError: it is none, or lacks it.
    """
    install = (
        "install the extra resa[lmms-eval], in an environment of its own because it pins wandb: python3 -m venv DIR && "
        f"DIR/bin/pip install lmms-eval=={VERSION}, and name it: --python DIR/bin/python"
    )
    looks = "import importlib.util, sys; sys.exit(importlib.util.find_spec('lmms_eval') is None)"
    try:
        found = subprocess.run([python, "-c", looks], capture_output=True, env=surroundings(os.environ)).returncode
    except OSError as error:
        raise ConfigError(f"no interpreter: {error.strerror}", where=f"--python {python}", remedy=install) from error
    if found:
        raise ConfigError("lmms-eval is not installed there", where=f"--python {python}", remedy=install)
    return python


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that lmms-eval gets. It prints HF_TOKEN where it finds it under that name (its tracker's
    arguments), so the token goes by its older name, which huggingface_hub reads too."""
    found = {name: value for name, value in environ.items() if name not in LEFT_OUT}
    token = found.pop("HF_TOKEN", None)
    if token:
        found["HUGGING_FACE_HUB_TOKEN"] = token
    found.setdefault("OPENAI_API_KEY", "none")  # its client wants one, a server on the loopback does not
    return found


def command(python: Path, out: Path, tasks: str, base_url: str, model: str, more: Sequence[str]) -> list[str]:
    """lmms-eval's command line. The key of the endpoint is not in it: it comes from OPENAI_API_KEY.

    Raises:
        ConfigError: a comma or an equals sign, at which lmms-eval parts its ``--model_args``.
    """
    for option, value in (("--base-url", base_url), ("--model", model)):
        if set(value) & set(",="):
            raise ConfigError(
                "lmms-eval cannot be told a value with a comma or an equals sign",
                where=f"{option} {value}",
                remedy="serve the model under another name or address",
            )
    told = f"model={model},base_url={base_url},timeout={TIMEOUT_S}"
    words = ["--model", "openai", "--model_args", told, "--tasks", tasks, "--log_samples", "--output_path", str(out)]
    return [str(python), "-m", "lmms_eval", *words, *more]


def ask(run_dir: Path, python: Path, tasks: str, base_url: str, model: str, more: Sequence[str]) -> list[Measured]:
    """Run lmms-eval; its words go where ours go.

    Raises:
        ConfigError: it is not there, or cannot be told so.
        EngineError: it failed, or left no results of an asked task. It ends with status 0 where it has failed, so what
            it left decides.
    """
    out = run_dir / FOLDER
    words = command(interpreter(python), out.resolve(), tasks, base_url, model, more)
    before = set(find_results(out)) if out.is_dir() else set()
    status = subprocess.run(words, stdin=subprocess.DEVNULL, env=surroundings(os.environ)).returncode
    new = [file for file in (find_results(out) if out.is_dir() else []) if file not in before]
    if status or not new:
        raise EngineError(
            f"lmms-eval left no results (exit status {status})"
            if not new
            else f"lmms-eval failed with status {status}",
            where=" ".join(words),
            remedy="its last words are above; --verbosity=DEBUG after -- makes it say more",
        )
    return [read_results(file) for file in new]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m eval.bridges.lmms_eval",
        description="Utility as lmms-eval measures it, kept beside a run's own scores.",
        epilog="Words after -- go to lmms-eval as they are: -- --limit 100",
    )
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    parser.add_argument("--read", type=Path, nargs="+", metavar="PATH", help="result files, or folders of them")
    parser.add_argument("--tasks", help="names of lmms-eval's tasks, with commas between")
    parser.add_argument("--base-url", help="of an OpenAI-compatible server; its key is read from OPENAI_API_KEY")
    parser.add_argument("--model", help="the served model's name")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter that has lmms-eval")
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    given, more = parser.parse_args(words[:cut]), words[cut + 1 :]
    asked = (given.tasks, given.base_url, given.model)
    if (given.read is None) == (not any(asked)) or (given.read is None and not all(asked)):
        parser.error("give either --read, or --tasks, --base-url and --model together")
    if given.read is not None and more:
        parser.error("words after -- are for lmms-eval, which --read does not start")
    try:
        summary = read_summary(given.run)
        if given.run.name == SUMMARY:
            raise ArtifactError("not a folder", where=str(given.run), remedy="give the folder of the run")
        if given.read is None:
            found = ask(given.run, given.python, given.tasks, given.base_url, given.model, more)
        else:
            found = [read_results(file) for path in given.read for file in find_results(path)]
        print(show(write_record(given.run, found), summary))
    except ResaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
