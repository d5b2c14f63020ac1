"""From a data set to an encoder: which networks, which of them to train, and what finishes their vectors."""

from __future__ import annotations

import copy
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
from handful.data.remote import check_local
from handful.encoders.regions import maps_in_regions
from handful.encoders.standardise import Standardise
from handful.encoders.wrapped import Wrapped
from handful.errors import InputError, check_at_least
from handful.files import written_whole
from handful.methods import METHODS
from handful.modalities.contract import Modality
from handful.training.devices import check_trackers, device_at_hand, one_writes
from handful.training.embed import Progress, batches_of, pooled_vectors, values_in
from handful.training.encoder import Encoder
from handful.training.finish import fit_finish
from handful.training.loop import Beat, Schedule, Trained, train
from handful.training.start import Start, plan, settle, told_name
from handful.training.taken import own_encoder, take

FLOOR_FIT_ROWS = 100_000
PRETRAINED_FIT_ROWS = 4096  # such a network is large: its vectors of all rows would be made twice
LEAST_AT_A_TIME, MOST_AT_A_TIME = 16, 256  # samples a step
STEPS_A_PASS = 8  # at least, over few samples
FIT_ROWS = 20_000  # rows the finishing is fitted on: principal components of more change nothing

HEALTH = "health.json"
HEALTHS = ("history", "untrained", "raw", "verdict", "epoch")  # what it holds of the record


@dataclass(frozen=True)
class Watch:
    """Whom to tell how far it is: `stage` in words, `step` and `epoch` while training, `rows` while embedding.

    trackers: those of accelerate that the figures of each epoch go to ("tensorboard", "wandb", "mlflow", ...).
    """

    stage: Callable[[str], None] = lambda words: None
    step: Callable[[Beat], None] = lambda beat: None
    epoch: Callable[[dict[str, Any]], None] = lambda line: None
    rows: Progress = lambda done, total: None
    trackers: tuple[str, ...] = ()


def pretrain(
    data: Dataset,
    method: str = "auto",
    encoder: nn.Module | str | Path | None = None,
    *,
    pooling: str = "auto",
    out: str | Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    precision: str = "auto",
    patience: int | None = None,
    seed: int = 0,
    views: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
) -> Encoder:
    """Return an encoder of `data`, trained on all of it without labels.

    method: a method of training ("simclr", ...); an encoder that needs none ("pca", "gradients", ...), or all of
    these side by side ("untrained"); "random" for the network before training; "auto" trains SimCLR and sets the
    untrained ones beside it: representations that err differently make the better graph.
    Names may be joined: "gradients+pretrained" sets both side by side.
    encoder: a network to train instead of the default one; it maps a batch to `Encoded` and has a `width`. A folder or
    a name on the hub is a pretrained one, taken as it is (method "pretrained", of images beside gradients and PCA)
    unless a method or epochs are given; so is one that `wrap` made. "auto" takes what is in the cache of the hub on
    this machine, fetches nothing, and says what it took; where there is nothing, one is trained here. A method that is
    named with it goes on from its weights: the lower half stays, the rest learns slowly, and where the neighbours do
    not get better for it, told without labels, the encoder is kept as it came. An `Encoder`, or the folder or the run
    folder of one, is taken as it is for these items too.
    pooling: how a pretrained network that is named makes one vector of a sample ("cls", "mean", "pooler", ...); "auto"
    as its family does.
    out: a folder for the encoder and the state of the loop; the same call again goes on where it stopped.
    epochs: passes over the data; by default as many as see about 200,000 samples, 5 to 60, with a pretrained encoder
    20,000, 1 to 10. patience: end early once the neighbours have not got better for so many epochs, told without
    labels.
    views: settings of the random views (for images: crop, colour, flip, turn).
    Raises InputError for a method that is not known, too little data, or a loss that is not finite.
    """
    watch = watch or Watch()
    check_trackers(watch.trackers)
    check_local(out, "the folder of the encoder")
    folder = Path(out) if out is not None else None
    own = own_encoder(encoder)
    if own is not None:
        training = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "patience": patience}
        asked = {"method": method, "pooling": pooling, "views": views or None, **training}
        return _written(take(*own, data, asked), folder)
    start = settle(data, method, encoder, epochs=epochs, pooling=pooling, views=views, seed=seed, say=watch.stage)
    modality, network = start.modality, start.network
    names = plan(start)
    if batch_size is None:
        batch_size = _batch_size(data, start, names[-1])
    schedule = _schedule(len(data), start.adapts, epochs, batch_size, learning_rate, precision, patience, seed)
    identity = {
        "method": start.method,
        "data": data.fingerprint,
        "modality": dict(modality.settings),
        "schedule": asdict(schedule),
        "encoder": told_name(encoder) or "NoneType",
        **({} if pooling == "auto" else {"pooling": pooling}),
        **({"found": start.told} if encoder == "auto" else {}),
    }
    kept = _kept(folder, identity)
    if kept is not None:
        return adopt(kept, network)
    began = time.monotonic()
    networks, trained = {}, None
    for name in names:
        made, told = _network(name, start, data, schedule, identity, folder, watch)
        trained = told or trained
        if not (told and told.epoch == 0 and "pretrained" in networks):  # as it came: it is there already
            networks[name] = made
    finishes, pooled = {}, {}
    for name, network in networks.items():
        finishes[name], pooled[name] = _finish(name, network, start, data, seed, watch)
    came_from = start.told or str(told_name(encoder))
    history = _training_record(trained, _said(came_from, networks) if "pretrained" in names else "not trained")
    record = {"identity": identity, "seconds": time.monotonic() - began, **history}
    if encoder is not None:
        record["encoder"] = came_from
    whole = Encoder(networks, finishes, modality, record=record).eval().to(device_at_hand())
    if all(len(vectors) == len(data) for vectors in pooled.values()):
        whole.remember(data.samples, pooled)
    return _written(whole, folder)


def _written(encoder: Encoder, folder: Path | None) -> Encoder:
    """Return `encoder`, written to `folder` with its health beside it, by one of several processes."""
    if folder is None:
        return encoder
    with one_writes() as writes:
        if writes:
            told = {name: encoder.record[name] for name in HEALTHS if name in encoder.record}
            with written_whole(folder.parent / HEALTH) as file:
                file.write(json.dumps(told, indent=1).encode())
            encoder.save_pretrained(folder)  # last: what is found of it says that the health is there too
    return encoder


def adopt(encoder: Encoder, given: Any) -> Encoder:
    """Return `encoder` with the module that `given` wraps put in where it was loaded without."""
    if isinstance(given, Wrapped):
        for network in [module for module in encoder.modules() if isinstance(module, Wrapped)]:
            network.adopt(given)
    return encoder


def _said(told: str, networks: Mapping[str, nn.Module]) -> str:
    """Return in words what was taken as it is, and what was made of its output."""
    made = getattr(networks["pretrained"], "told", "")
    beside = [name for name in networks if name != "pretrained"]
    words = [f"taken as it is: {told}", *([made] if made else []), *([f"beside {', '.join(beside)}"] if beside else [])]
    return "; ".join(words)


def _kept(folder: Path | None, identity: Mapping[str, Any]) -> Encoder | None:
    """Return the encoder in `folder` where it came of the same call, else None."""
    if folder is None or not ((folder / "config.json").is_file() and (folder.parent / HEALTH).is_file()):
        return None
    kept = Encoder.from_pretrained(folder)
    return kept if kept.record.get("identity") == json.loads(json.dumps(identity)) else None


def _batch_size(data: Dataset, start: Start, trained: str) -> int:
    """Return how many samples a step of the method `trained` sees: of few so many that a pass takes 8 steps or what the
    kind of data says, at least 16."""
    most = 64 if start.adapts else MOST_AT_A_TIME
    share = len(data) // getattr(start.modality, "steps_a_pass", STEPS_A_PASS)
    enough = METHODS[trained].numbers_a_step if trained in METHODS else None
    if enough is not None:
        most = min(most, max(LEAST_AT_A_TIME, enough // values_in(data.samples)))
    return int(min(most, max(LEAST_AT_A_TIME, 2 ** int(np.log2(max(share, 1))))))


def _schedule(
    n: int,
    adapts: bool,
    epochs: int | None,
    batch_size: int,
    learning_rate: float | None,
    precision: str,
    patience: int | None,
    seed: int,
) -> Schedule:
    if epochs is None:
        epochs = int(min(10, max(1, 20_000 // n)) if adapts else min(60, max(5, 200_000 // n)))
    if n < 2:
        raise InputError(f"training needs at least 2 samples, got {n}.")
    if patience is not None:
        check_at_least("patience", patience, 1)
    batch_size = min(batch_size, n)
    chosen: dict[str, Any] = {} if learning_rate is None else {"learning_rate": learning_rate}
    return Schedule(epochs=epochs, batch_size=batch_size, precision=precision, patience=patience, seed=seed, **chosen)


def _network(
    name: str,
    start: Start,
    data: Dataset,
    schedule: Schedule,
    identity: Mapping[str, Any],
    folder: Path | None,
    watch: Watch,
) -> tuple[nn.Module, Trained | None]:
    """Return the network called `name`, trained where its name is a method's, and what its training told."""
    given, modality = start.network, start.modality
    floors = modality.floors()
    if name in floors:
        return fitted(floors[name], data, modality, schedule.seed), None
    with torch.random.fork_rng():
        torch.manual_seed(schedule.seed)
        if name in ("random", "pretrained"):
            network = given or modality.backbone()
            if name == "random":
                network = maps_in_regions(network, modality) or network
            return fitted(network, data, modality, schedule.seed), None
        if given is not None and start.adapts:
            given = _copied(given)  # it stays as it came beside what becomes of it
        backbone = fitted(given or METHODS[name].default_backbone(modality), data, modality, schedule.seed)
        method = METHODS[name](backbone, modality)
        if method.network is not backbone:
            fitted(method.network, data, modality, schedule.seed)
        if schedule.epochs == 0:
            return method.network.eval(), None
        watch.stage(f"training {name}: {schedule.epochs} epochs of {len(data)} items")
        trained = train(
            method,
            data,
            schedule,
            checkpoint=folder / "loop.safetensors" if folder is not None else None,
            identity=json.loads(json.dumps(identity)),
            adapts=start.adapts,
            on_step=watch.step,
            on_epoch=watch.epoch,
            trackers=watch.trackers,
        )
    return method.network, trained


def _copied(network: nn.Module) -> nn.Module:
    """Return a copy of `network` that reads batches by the same kind of data."""
    kind = getattr(getattr(network, "cut", None), "__self__", None)
    return copy.deepcopy(network, {} if kind is None else {id(kind): kind})


def fitted(network: nn.Module, data: Dataset, modality: Modality, seed: int) -> nn.Module:
    """Return `network` where networks run, fitted on a sample of the data where it has to be."""
    fit: Any = getattr(network, "fit", None)
    if fit is not None:
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:FLOOR_FIT_ROWS])
        fit((modality.batch(data.samples, chosen) for chosen in batches_of(rows, 1024)), seed=seed)
    return network.eval().to(device_at_hand())


def _finish(
    name: str, network: nn.Module, start: Start, data: Dataset, seed: int, watch: Watch
) -> tuple[Standardise, np.ndarray]:
    """Return what centres and reduces the vectors of `network`, and those [M, D] of the sample that it is fitted on."""
    watch.stage(f"fitting {name}")
    modality = start.modality
    elsewhere = start.adapts or name == "pretrained"
    origin = "floor" if name in modality.floors() else "pretrained" if elsewhere else "trained"
    most = PRETRAINED_FIT_ROWS if origin == "pretrained" else FIT_ROWS
    rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:most])
    vectors = pooled_vectors(network, modality, data.samples, rows, progress=watch.rows)
    return fit_finish(vectors, origin, network=network, seed=seed), vectors


def _training_record(trained: Trained | None, verdict: str = "not trained") -> dict[str, Any]:
    if trained is None:
        return {"history": [], "verdict": verdict}
    return {
        "history": trained.history,
        "untrained": trained.untrained.as_dict(),
        "raw": trained.raw.as_dict(),
        "verdict": trained.verdict,
        "epoch": trained.epoch,
    }
