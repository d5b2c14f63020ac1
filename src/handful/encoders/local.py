"""The pretrained encoder that is already on this machine and suits a kind of data; nothing is fetched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FAMILIES = {
    "image": (
        *("dinov3_vit", "dinov2_with_registers", "dinov2", "dinov3_convnext"),
        *("siglip2", "siglip", "siglip_vision_model", "clip", "clip_vision_model"),
        *("convnextv2", "convnext", "vit", "efficientnet", "resnet", "mobilenet_v2"),
    ),
    "audio": ("clap", "audio-spectrogram-transformer", "hubert", "wav2vec2", "whisper"),
    "video": ("videomae",),
    "text": (),
}
"""The families of models by kind of data, those whose frozen vectors serve best first: trained without labels, then on
captions, then on labels. Of texts, models made for whole sentences: the mean of a bare BERT's states is no vector of a
sentence (Reimers and Gurevych 2019)."""


@dataclass(frozen=True)
class Local:
    """A model in the cache of the hub. name: as on the hub; folder: of its files; family, size: in bytes of weights."""

    name: str
    folder: Path
    family: str
    size: int

    def in_words(self) -> str:
        """Return what it is and why it was taken."""
        return (
            f"{self.name}, {self.family} of {self.size / 1e6:.0f} MB, found in the cache of the hub: the smallest "
            "model of the family that serves best among those there"
        )


def find_local(kind: str) -> Local | None:
    """Return the model on this machine for a kind of data ("image", "text", ...): the smallest of the best family.

    None where there is none. Only the cache of the hub is looked at.
    """
    found = [local for local in _cached() if _rank(kind, local) is not None]
    return min(found, key=lambda local: (_rank(kind, local), local.size, local.name), default=None)


def cache_name() -> str:
    """Return where `find_local` looks."""
    try:
        from huggingface_hub import constants
    except ImportError:
        return "the cache of the hub"
    return str(constants.HF_HUB_CACHE)


def _rank(kind: str, local: Local) -> int | None:
    if kind == "text":
        return 0 if (local.folder / "modules.json").is_file() else None
    families = FAMILIES.get(kind, ())
    has_processor = any((local.folder / f"{name}_config.json").is_file() for name in ("preprocessor", "processor"))
    return families.index(local.family) if local.family in families and has_processor else None


def _cached() -> list[Local]:
    try:
        from huggingface_hub import scan_cache_dir
        from huggingface_hub.errors import CacheNotFound
    except ImportError:
        return []
    try:
        repositories = scan_cache_dir(cache_name()).repos
    except (CacheNotFound, ValueError, OSError):
        return []
    revisions = [
        (repository.repo_id, max(repository.revisions, key=lambda revision: revision.last_modified).snapshot_path)
        for repository in repositories
        if repository.repo_type == "model" and repository.revisions
    ]
    return [local for name, folder in revisions if (local := _read(name, Path(folder))) is not None]


def _read(name: str, folder: Path) -> Local | None:
    """Return the model in a folder of the cache, None where it is not whole."""
    try:
        family = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return None
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return Local(name, folder, family, size) if isinstance(family, str) and size else None
