"""Nothing is ever unpickled: held over every call in the source that could."""

from __future__ import annotations

import ast
from pathlib import Path

import handful

SOURCE = Path(handful.__file__).parent
FORBIDDEN = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "yaml"}
FOR_ERRORS = {"encoders/hub.py": "pickle"}
"""Imports for the names of exceptions alone."""
SAFE = {"load": {"allow_pickle", "weights_only"}, "save": {"allow_pickle"}, "savez": {"allow_pickle"}}
SAFE |= {"savez_compressed": {"allow_pickle"}, "read_array": {"allow_pickle"}, "write_array": {"allow_pickle"}}
NEVER = {"read_pickle", "to_pickle", "Unpickler", "loads_pickle", "trust_remote_code"}


def calls() -> list[tuple[str, ast.Call]]:
    """Return every call in the source, and the file it stands in."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        found += [(name, node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return found


def owner(call: ast.Call) -> str:
    """Return "np.load" of np.load(...), "load" of load(...)."""
    return ast.unparse(call.func)


def is_off(call: ast.Call, names: set[str]) -> bool:
    """Tell whether the call says allow_pickle=False or weights_only=True."""
    said = {key.arg: ast.unparse(key.value) for key in call.keywords}
    return any(said.get(name) == {"allow_pickle": "False", "weights_only": "True"}[name] for name in names)


def test_every_call_that_can_unpickle_is_told_not_to() -> None:
    readers = [
        (name, call)
        for name, call in calls()
        if owner(call).startswith(("np.", "torch.")) and owner(call).rsplit(".", 1)[-1] in SAFE
    ]
    unsafe = [
        f"{name}:{call.lineno} {owner(call)}"
        for name, call in readers
        if not is_off(call, SAFE[owner(call).rsplit(".", 1)[-1]])
    ]
    assert not unsafe
    assert len(readers) >= 15


def test_no_library_that_unpickles_is_imported() -> None:
    wrong, seen = [], 0
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        seen += 1
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [
                f"{name} imports {module}"
                for module in modules
                if module.split(".")[0] in FORBIDDEN and FOR_ERRORS.get(name) != module
            ]
    assert not wrong
    assert seen >= 100


def test_nothing_is_evaluated_and_no_code_comes_with_data() -> None:
    found = calls()
    names = {owner(call).rsplit(".", 1)[-1] for _, call in found}
    assert not names & NEVER
    assert not {"eval", "exec", "__import__"} & {owner(call) for _, call in found}
    trusted = [key for _, call in found for key in call.keywords if key.arg == "trust_remote_code"]
    assert trusted
    assert all(ast.unparse(key.value) == "False" for key in trusted)
    assert len(found) > 5000
