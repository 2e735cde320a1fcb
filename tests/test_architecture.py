"""The shape of the house, held by reading its imports: arrows point down, configuration is quick, files are short."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("data_builders", "mitigation", "eval", "launch")
GROUND = "resa"
DOORS = ("train", "evaluate", "build_data", "reproduce")
HEAVY = frozenset({"torch", "torchvision", "transformers", "datasets", "trl", "peft", "accelerate", "deepspeed"})
HEAVY |= {"wandb", "matplotlib", "sklearn", "scipy", "open_clip", "openai", "vllm"}
MOST_LINES = 360
PLACELESS = re.compile("|".join(["/" + "work/", "/" + "root/", "/tmp/" + "env", "/" + "home/" + r"[a-z]"]))
VAGUE = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}


def tracked() -> list[Path]:
    """Every file of the project: what git tracks, or could."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [file for line in sorted(set(listing.stdout.splitlines())) if (file := CHECKOUT / line).is_file()]


def sources() -> list[Path]:
    """The Python files of the project itself: ground floor, rooms and doors."""
    rooms = [file for room in (GROUND, *ROOMS) for file in sorted((CHECKOUT / room).rglob("*.py"))]
    return rooms + [file for door in DOORS if (file := CHECKOUT / f"{door}.py").is_file()]


def module_of(file: Path) -> str:
    parts = file.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that an import statement may load; ``from a import b`` may load ``a.b``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def anywhere(file: Path) -> set[str]:
    """Everything a file imports, inside functions too."""
    return {name for node in ast.walk(tree_of(file)) for name in imported(node)}


def at_import(file: Path) -> set[str]:
    """What importing a file imports at once: not in functions, not under TYPE_CHECKING."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree_of(file).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
            continue
        found.update(imported(node))
        waiting.extend(ast.iter_child_nodes(node))
    return found


def file_of(module: str) -> Path | None:
    base = CHECKOUT.joinpath(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def allowed(importer: str, name: str) -> bool:
    """Whether a module may import another: doors -> rooms -> resa, and everyone within its own room."""
    top, target = importer.split(".")[0], name.split(".")[0]
    if target not in (GROUND, *ROOMS, *DOORS) or top == target:
        return True
    return target == GROUND if top in ROOMS else top in DOORS and target not in DOORS


def test_arrows_point_down() -> None:
    wrong = sorted(
        f"{module_of(file)} imports {name}"
        for file in sources()
        for name in anywhere(file)
        if not allowed(module_of(file), name)
    )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "name", "may"),
    [
        ("resa.types", "eval.tasks", False),
        ("resa.types", "launch.local", False),
        ("eval.stage", "mitigation.inference", False),
        ("data_builders.mini", "eval.tasks", False),
        ("launch.job", "train", False),
        ("eval.stage", "resa.types", True),
        ("train", "launch.select", True),
        ("train", "evaluate", False),
        ("eval.stage", "eval.tasks", True),
        ("eval.stage", "evaluate_something", True),
    ],
)
def test_the_rule_itself(importer: str, name: str, may: bool) -> None:
    assert allowed(importer, name) is may


def configured_modules() -> set[str]:
    """What runs before any work: the modules that conf/ names by ``_target_``, and the doors."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in (CHECKOUT / "conf").rglob("*.yaml"))
    targets = re.findall(r"_target_:\s*([\w.]+)\.\w+", text)
    return {*targets, *(door for door in DOORS if (CHECKOUT / f"{door}.py").is_file()), "launch.select", "launch.sweep"}


def test_configuration_imports_nothing_heavy() -> None:
    """A configuration error answers in under two seconds: no path of top-level imports leads to a heavy library."""
    came_from: dict[str, str] = {}
    waiting = [(module, "conf/ or a door") for module in sorted(configured_modules())]
    wrong = []
    while waiting:
        module, importer = waiting.pop()
        if module in came_from:
            continue
        came_from[module] = importer
        if module.split(".")[0] in HEAVY:
            path = [module]
            while path[-1] in came_from:
                path.append(came_from[path[-1]])
            wrong.append(" <- ".join(path))
            continue
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):  # importing a.b.c imports a and a.b too
            file = file_of(".".join(parts[:depth]))
            if file:
                waiting.extend((name, module) for name in sorted(at_import(file)))
    assert not wrong, "\n".join(sorted(wrong))


def test_launching_imports_no_torch() -> None:
    code = "import sys, launch.select, launch.slurm, launch.sweep, resa.ranks; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_file_is_read_in_one_sitting() -> None:
    python = [file for file in tracked() if file.suffix == ".py"]
    lengths = {str(file.relative_to(CHECKOUT)): len(file.read_text(encoding="utf-8").splitlines()) for file in python}
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}


def test_files_are_named_for_what_they_do() -> None:
    assert not [str(file.relative_to(CHECKOUT)) for file in tracked() if file.name in VAGUE]


def test_no_file_names_a_place_on_someones_machine() -> None:
    wrong = []
    for file in tracked():
        if file.suffix in {".safetensors", ".png", ".jpg", ".parquet", ".npz", ".gz"}:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if PLACELESS.search(line):
                wrong.append(f"{file.relative_to(CHECKOUT)}:{number}: {line.strip()[:100]}")
    assert not wrong, "\n".join(wrong)


def test_a_method_is_a_short_yaml() -> None:
    methods = list((CHECKOUT / "conf" / "method").glob("*.yaml"))
    assert not [file.name for file in methods if len(file.read_text(encoding="utf-8").splitlines()) > 15]
