"""Who may know what: imports go one way, and the light entrances stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import handful

SOURCE = Path(handful.__file__).parent
BELOW = {
    "errors": set(),
    "files": {"errors"},
    "data": {"errors", "files"},
    "encoders": {"errors", "files"},
    "modalities": {"encoders", "data", "errors", "files"},
    "methods": {"encoders", "modalities", "data", "errors"},
    "training": {"methods", "encoders", "modalities", "data", "errors", "files"},
    "graph": {"errors", "files"},
    "propagation": {"graph", "data", "errors"},
    "tasks": {"propagation", "graph", "training", "methods", "encoders", "modalities", "data", "errors", "files"},
}
BELOW["run"] = {*BELOW["tasks"], "tasks"}
BELOW["evaluation"] = BELOW["reporting"] = BELOW["guide"] = {*BELOW["run"], "run"}
BELOW["reviewing"] = {*BELOW["reporting"], "reporting"}
BELOW["cluster"] = {*BELOW["run"], "run"}
BELOW["cli"] = {*BELOW["run"], "run", "evaluation", "reporting", "guide", "reviewing", "cluster"}
BELOW["__main__"] = {"cli"}


def _rooms_imported(path: Path) -> set[str]:
    """Return the rooms of handful that a file imports, anywhere in it."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        rooms |= {name.split(".")[1] for name in names if name.startswith("handful.")}
    return rooms


def test_imports_go_one_way() -> None:
    wrong, seen = [], 0
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts == ("__init__",):
            continue
        seen += 1
        room = parts[0]
        wrong += [f"{room} imports {other} in {path.name}" for other in _rooms_imported(path) - BELOW[room] - {room}]
    assert not wrong
    assert seen >= 60


def test_graph_and_propagation_know_no_torch_modules() -> None:
    files = [*SOURCE.glob("graph/*.py"), *SOURCE.glob("propagation/*.py")]
    assert len(files) >= 10
    assert not [path for path in files if "from torch" in path.read_text() or "torch.nn" in path.read_text()]


def test_a_room_shares_no_name_with_a_public_function() -> None:
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix in ("", ".py")}
    assert not rooms & set(handful.__all__)


def test_light_entrances_load_no_torch() -> None:
    code = "import sys, handful, handful.cli; print('torch' in sys.modules, 'numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]


def test_every_public_name_is_there() -> None:
    assert len(handful.__all__) >= 15
    assert all(getattr(handful, name) is not None for name in handful.__all__)
