"""From a data set to an encoder: which networks, which of them to train, and what finishes their vectors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from handful.data import Dataset
from handful.encoders.standardise import Standardise
from handful.errors import InputError, check_choice
from handful.files import replace_file
from handful.methods import METHODS
from handful.modalities.contract import Modality
from handful.modalities.registry import make_modality
from handful.training.embed import Progress, batches_of, pooled_vectors
from handful.training.encoder import Encoder
from handful.training.loop import Beat, Schedule, Trained, train

FLOOR_COMPONENTS = 96
TRAINED_COMPONENTS = 128
FLOOR_RIDGE = 1.0  # Fashion-MNIST, 5 labels a class: pixels 70.5 -> 73.1, gradients 75.3 -> 77.5 % right
TRAINED_RIDGE = 0.01  # Fashion-MNIST kNN, of 2,000: SimCLR 77.3 -> 81.6, autoencoder 77.3 -> 80.7 % right
FLOOR_FIT_ROWS = 100_000
PRETRAINED_RIDGE = float("inf")
"""Vectors of a network trained elsewhere are left uneven: MiniLM on 7,600 news, 8 labels a class, 85.5 % right against
82.3 with a ridge of 1 (spread, then head; 5 draws)."""
PRETRAINED_FIT_ROWS = 4096  # such a network is large: its vectors of all rows would be made twice
FIT_ROWS = 20_000  # rows the finishing is fitted on: principal components of more change nothing


@dataclass(frozen=True)
class Watch:
    """Whom to tell how far it is: `stage` in words, `step` and `epoch` while training, `rows` while embedding."""

    stage: Callable[[str], None] = lambda words: None
    step: Callable[[Beat], None] = lambda beat: None
    epoch: Callable[[dict[str, Any]], None] = lambda line: None
    rows: Progress = lambda done, total: None


def pretrain(
    data: Dataset,
    method: str = "auto",
    encoder: nn.Module | str | Path | None = None,
    *,
    out: str | Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    precision: str = "auto",
    seed: int = 0,
    views: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
) -> Encoder:
    """Return an encoder of `data`, trained on all of it without labels.

    method: a method of training ("simclr", ...); an encoder that needs none ("pca", "gradients", ...), or all of
    these side by side ("untrained"); "random" for the network before training; "auto" trains SimCLR and sets the
    untrained ones beside it: representations that err differently make the better graph.
    encoder: a network to train instead of the default one; it maps a batch to `Encoded` and has a `width`. A folder or
    a name on the hub is a pretrained one, taken as it is (method "pretrained") unless a method or epochs are given.
    out: a folder for the encoder and the state of the loop; the same call again goes on where it stopped.
    epochs: passes over the data; by default as many as see about 200,000 samples, 5 to 60.
    views: settings of the random views (for images: crop, colour, flip, turn).
    Raises InputError for a method that is not known, too little data, or a loss that is not finite.
    """
    watch = watch or Watch()
    modality = make_modality(data.modality, data.settings, views)
    asked = encoder
    if isinstance(encoder, str | Path):
        watch.stage(f"loading {encoder}")
        modality, encoder = _load_encoder(modality, encoder)
        method = "pretrained" if method == "auto" and not epochs else method
    if hasattr(modality, "adapt"):
        modality = modality.adapt(data.samples, seed=seed)
    plan = _plan(method, modality, encoder)
    schedule = _schedule(len(data), epochs, batch_size, learning_rate, precision, seed)
    identity = {
        "method": method,
        "data": data.fingerprint,
        "modality": dict(modality.settings),
        "schedule": asdict(schedule),
        "encoder": str(asked) if isinstance(asked, str | Path) else type(asked).__name__,
    }
    folder = Path(out) if out is not None else None
    if folder is not None and (folder / "config.json").is_file():
        kept = Encoder.from_pretrained(folder)
        if kept.record.get("identity") == json.loads(json.dumps(identity)):
            return kept
    began = time.monotonic()
    networks, trained = {}, None
    for name in plan:
        networks[name], told = _network(name, encoder, data, modality, schedule, identity, folder, watch)
        trained = told or trained
    finishes = {name: _finish(name, network, data, modality, seed, watch) for name, network in networks.items()}
    history = _training_record(trained, f"taken as it is: {asked}" if plan == ["pretrained"] else "not trained")
    record = {"identity": identity, "seconds": time.monotonic() - began, **history}
    made = Encoder(networks, finishes, modality, record=record).eval()
    made.to(next(made.networks.parameters(), torch.empty(0)).device)  # where it was trained
    if folder is not None:
        made.save_pretrained(folder)
        with replace_file(folder.parent / "health.json") as temporary:
            temporary.write_text(json.dumps(history, indent=1))
    return made


def _load_encoder(modality: Modality, name: str | Path) -> tuple[Modality, nn.Module]:
    if not hasattr(modality, "load_encoder"):
        raise InputError(
            f"encoder={str(name)!r}: no pretrained {modality.name} encoders are read by name; give an nn.Module that "
            "maps a batch to `Encoded`."
        )
    return modality.load_encoder(name)


def _plan(method: str, modality: Modality, encoder: nn.Module | None) -> list[str]:
    """Return the names of the networks that `method` sets side by side, the trained one last."""
    floors = list(modality.floors())
    if method == "pretrained" and encoder is not None:
        return ["pretrained"]
    if method == "auto":
        return list(getattr(modality, "auto", [*floors, "simclr"]))
    if method == "untrained":
        return floors
    check_choice("method", method, ["auto", "untrained", "random", *floors, *METHODS])
    return [method]


def _schedule(
    n: int, epochs: int | None, batch_size: int | None, learning_rate: float | None, precision: str, seed: int
) -> Schedule:
    if batch_size is None:
        batch_size = int(min(256, max(16, 2 ** int(np.log2(max(n // 8, 1))))))
    if epochs is None:
        epochs = int(min(60, max(5, 200_000 // n)))
    if n < 2:
        raise InputError(f"training needs at least 2 samples, got {n}.")
    batch_size = min(batch_size, n)
    chosen: dict[str, Any] = {} if learning_rate is None else {"learning_rate": learning_rate}
    return Schedule(epochs=epochs, batch_size=batch_size, precision=precision, seed=seed, **chosen)


def _network(
    name: str,
    given: nn.Module | None,
    data: Dataset,
    modality: Modality,
    schedule: Schedule,
    identity: Mapping[str, Any],
    folder: Path | None,
    watch: Watch,
) -> tuple[nn.Module, Trained | None]:
    """Return the network called `name`, trained where its name is a method's, and what its training told."""
    floors = modality.floors()
    if name in floors:
        return _fitted(floors[name], data, modality, schedule.seed), None
    with torch.random.fork_rng():
        torch.manual_seed(schedule.seed)
        if name in ("random", "pretrained") or schedule.epochs == 0:
            return (given or modality.backbone()).eval(), None
        backbone = given or METHODS[name].default_backbone(modality)
        watch.stage(f"training {name}: {schedule.epochs} epochs of {len(data)} {modality.name}s")
        method = METHODS[name](backbone, modality)
        trained = train(
            method,
            data,
            schedule,
            checkpoint=folder / "loop.safetensors" if folder is not None else None,
            identity=json.loads(json.dumps(identity)),
            on_step=watch.step,
            on_epoch=watch.epoch,
        )
    return method.network, trained


def _fitted(floor: nn.Module, data: Dataset, modality: Modality, seed: int) -> nn.Module:
    """Return `floor`, fitted on a sample of the data where it has to be."""
    fit: Any = getattr(floor, "fit", None)
    if fit is not None:
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:FLOOR_FIT_ROWS])
        fit((modality.batch(data.samples, chosen) for chosen in batches_of(rows, 1024)), seed=seed)
    return floor.eval()


def _finish(name: str, network: nn.Module, data: Dataset, modality: Modality, seed: int, watch: Watch) -> Standardise:
    """Return what centres and reduces the vectors of `network`, fitted on a sample of the data."""
    watch.stage(f"fitting {name}")
    most = PRETRAINED_FIT_ROWS if name == "pretrained" else FIT_ROWS
    rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:most])
    vectors = pooled_vectors(network, modality, data.samples, rows, progress=watch.rows)
    is_floor = name in modality.floors()
    if name == "pretrained":
        return Standardise.fit(vectors, components=TRAINED_COMPONENTS, ridge=PRETRAINED_RIDGE, seed=seed)
    return Standardise.fit(
        vectors,
        components=FLOOR_COMPONENTS if is_floor else TRAINED_COMPONENTS,
        ridge=FLOOR_RIDGE if is_floor else TRAINED_RIDGE,
        seed=seed,
    )


def _training_record(trained: Trained | None, verdict: str = "not trained") -> dict[str, Any]:
    if trained is None:
        return {"history": [], "verdict": verdict}
    return {
        "history": trained.history,
        "untrained": trained.untrained.as_dict(),
        "raw": trained.raw.as_dict(),
        "verdict": trained.verdict,
    }
