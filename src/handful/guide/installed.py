"""What of this installation works: packages, kinds of data, devices, the cache; and the command that mends the rest."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Any

from handful import __version__
from handful.data.cache import cache_folder

KINDS = {
    "image": (),
    "table": (),
    "series": (),
    "text": ("transformers", "tokenizers", "charset_normalizer"),
    "audio": ("soundfile",),
    "video": ("av",),
}
"""Each kind of data, and the packages it needs beside the core; they come with the extra of its name."""

CORE = ("torch", "numpy", "scipy", "scikit-learn", "numba", "pyarrow", "pillow", "accelerate", "safetensors")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. works: whether it does; words: what was found; mend: the command that mends it."""

    name: str
    works: bool
    words: str
    mend: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def examine() -> list[Finding]:
    """Return what works and what does not: the core, each kind of data, the devices, the cache."""
    return [_core(), *(_kind(name, needed) for name, needed in KINDS.items()), *_devices(), _cache()]


def _core() -> Finding:
    versions = {name: _version(name) for name in CORE}
    lacking = [name for name, version in versions.items() if version is None]
    if lacking:
        return Finding("core", False, f"{', '.join(lacking)} missing", f"pip install {' '.join(lacking)}")
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Finding("core", True, f"handful {__version__}, Python {platform.python_version()}, {told}")


def _kind(name: str, needed: tuple[str, ...]) -> Finding:
    faults = [fault for fault in map(_fault, needed) if fault is not None]
    if faults:
        return Finding(name, False, "; ".join(faults), f"pip install 'handful[{name}]'")
    beside = ", ".join(f"{package} {_version(package.replace('_', '-'))}" for package in needed)
    return Finding(name, True, beside or "needs nothing beside the core")


def _fault(package: str) -> str | None:
    """Return why a package cannot be imported, None where it can."""
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        return f"{error.name or package} missing"
    except (ImportError, OSError) as error:  # it is there, and a library that it stands on is not
        return f"{package} does not load ({' '.join(str(error).split())})"
    return None


def _devices() -> list[Finding]:
    import torch

    threads = f"{torch.get_num_threads()} threads"
    found = [Finding("cpu", True, f"{platform.processor() or platform.machine()}, {threads}")]
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return [*found, Finding("cuda", True, ", ".join(names))]
    if torch.backends.mps.is_available():
        return [*found, Finding("mps", True, "Apple GPU")]
    why = "this torch is built without CUDA" if torch.version.cuda is None else "no CUDA device is seen"
    return [*found, Finding("gpu", False, f"{why}: training runs on the processor")]


def _cache() -> Finding:
    folder = cache_folder()
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Finding("cache", False, f"{folder} cannot be written", "export HANDFUL_CACHE=FOLDER")
    return Finding("cache", True, f"{folder}, {shutil.disk_usage(there).free / 1e9:.0f} GB free")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
