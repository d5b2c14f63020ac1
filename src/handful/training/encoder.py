"""An encoder: one network or several side by side, each finished to vectors of length one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from handful.data import Dataset, Samples
from handful.data.remote import check_local
from handful.encoders import Encoded
from handful.encoders.saving import build, describe
from handful.encoders.standardise import Standardise
from handful.errors import InputError
from handful.files import written_whole
from handful.methods import METHODS
from handful.modalities.contract import Batch, Modality
from handful.modalities.registry import make_modality
from handful.training.card import model_card
from handful.training.checkpoint import read_tensors, separate
from handful.training.devices import device_at_hand
from handful.training.embed import (
    Embeddings,
    Progress,
    batches_of,
    device_of,
    fitting_batch,
    lay_out,
    pooled_vectors,
    to_device,
)

FORMAT = 1


class Encoder(nn.Module):
    """Maps samples to vectors. What `pretrain` returns; `save_pretrained` and `from_pretrained` as people know them.

    networks: by name, each maps a batch to `Encoded`; finishes: by the same names, what centres and reduces each.
    record: how it came to be (method, seed, data, health by epoch): JSON values, kept in config.json.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        finishes: Mapping[str, Standardise],
        modality: Modality,
        *,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.networks, self.finishes = nn.ModuleDict(networks), nn.ModuleDict(finishes)
        for network in networks.values():
            lay_out(network)  # as it was trained
        self.modality = modality
        self._remembered: tuple[Samples, Mapping[str, np.ndarray]] | None = None
        self.record = dict(record or {})

    def forward(self, batch: Batch) -> Encoded:
        """Return the last network's features [B, L, D], and all blocks side by side as one vector [B, sum of D]."""
        batch, pooled, features = to_device(batch, device_of(self)), [], torch.empty(0)
        for name, network in self.networks.items():
            features, vector = network(batch)
            pooled.append(self.finishes[name](vector))
        return Encoded(features, torch.cat(pooled, 1))

    @property
    def blocks(self) -> dict[str, slice]:
        """The columns of each block by name."""
        ends = np.cumsum([finish.components for finish in self._finishes()])
        return {
            n: slice(int(e) - f.components, int(e))
            for n, f, e in zip(self.networks, self._finishes(), ends, strict=True)
        }

    @property
    def counts(self) -> dict[str, float]:
        """How much each block counts in a graph, by name: alike unless their kind of data knows better.

        What goes on from a network that was trained elsewhere counts what that counts.
        """
        known: dict[str, float] = dict(getattr(self.modality, "counts", {}))
        if "pretrained" in self.networks and "pretrained" in known:
            known |= dict.fromkeys(METHODS, known["pretrained"])
        return {name: known[name] for name in self.networks} if set(self.networks) <= set(known) else {}

    @property
    def reads(self) -> dict[str, Any]:
        """The settings with which it reads data."""
        return dict(self.modality.settings)

    def _finishes(self) -> Sequence[Standardise]:
        return [self.finishes[name] for name in self.networks]  # type: ignore[misc]

    def embed(
        self,
        data: Dataset,
        *,
        rows: np.ndarray | None = None,
        batch_size: int | None = None,
        progress: Progress | None = None,
    ) -> Embeddings:
        """Return the embeddings of every item of `data`, or of `rows` only.

        Raises InputError where the data is of another kind, or was read with other settings, than the encoder's.
        """
        self.check_reads(data)
        rows = np.arange(len(data)) if rows is None else rows
        batch_size = batch_size or self.batch_size(data)
        remembers = self.remembers(data)
        remembered, self._remembered = self._remembered, None
        if remembered is not None and remembers:
            vectors = np.concatenate([self._finished(remembered[1], rows) for rows in batches_of(rows, batch_size)])
        else:
            vectors = pooled_vectors(self, self.modality, data.samples, rows, batch_size=batch_size, progress=progress)
        return Embeddings(data.ids[rows], vectors, self.blocks, self.counts)

    def remember(self, samples: Samples, pooled: Mapping[str, np.ndarray]) -> None:
        """Keep what each network gave for all of `samples` [N, D], for the next `embed`: it need not be made twice."""
        self._remembered = (samples, pooled)

    def remembers(self, data: Dataset) -> bool:
        """Tell whether the next `embed` of `data` finds what it needs already made."""
        return self._remembered is not None and self._remembered[0] is data.samples

    def batch_size(self, data: Dataset) -> int:
        """Return how many samples of `data` are embedded at a time: in the same batches the same bits come out."""
        return fitting_batch(data.samples)

    @torch.inference_mode()
    def _finished(self, pooled: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
        device = device_of(self)
        made = [self.finishes[name](torch.from_numpy(pooled[name][rows]).to(device)).cpu() for name in self.networks]
        return torch.cat(made, 1).numpy()

    def read(self, source: Any, **settings: Any) -> Dataset:
        """Return `source`, what `handful.read` takes, read with the settings of the training but for `settings`."""
        from handful.modalities.reading import READERS, read

        own = {n: v for n, v in self.modality.settings.items() if n in READERS[self.modality.name].settings}
        return read(source, modality=self.modality.name, **{**own, **settings})

    def check_reads(self, data: Dataset) -> None:
        """Raise InputError unless this encoder can read `data`."""
        if data.modality != self.modality.name:
            raise InputError(f"the encoder reads {self.modality.name}, the data is {data.modality}: pretrain on it.")
        own = {name: value for name, value in self.modality.settings.items() if name in data.settings}
        got = {name: data.settings[name] for name in own}
        if own != got:
            raise InputError(f"the encoder reads {self.modality.name} with {own}, the data has {got}: read it so.")

    def save_pretrained(self, folder: str | Path) -> None:
        """Write model.safetensors, config.json and README.md (the model card) to `folder`."""
        folder = Path(folder)
        assets = getattr(self.modality, "assets", {})
        config = {
            "format": FORMAT,
            "modality": {"name": self.modality.name, **self.modality.settings},
            "assets": list(assets),
            "networks": {name: _describe(name, network, self.modality) for name, network in self.networks.items()},
            "record": self.record,
        }
        card = model_card(config, parameters=sum(p.numel() for p in self.parameters()))
        with written_whole(folder / "model.safetensors") as file:
            file.write(save(separate(self.state_dict())))
        for name, content in {**assets, "README.md": card, "config.json": json.dumps(config, indent=1)}.items():
            with written_whole(folder / name) as file:  # config.json last: it says that the others are there
                file.write(content.encode())

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Encoder:
        """Return the encoder saved in `folder`. Raises InputError where there is none, or one of another version."""
        check_local(folder, "an encoder")
        folder = Path(folder)
        config = _read_config(folder)
        try:
            return cls._build(folder, config)
        except InputError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder} does not hold an encoder as handful writes one ({error}): pretrain again."
            ) from error

    @classmethod
    def _build(cls, folder: Path, config: dict[str, Any]) -> Encoder:
        described = dict(config["modality"])
        assets = {name: _read_asset(folder, name) for name in config.get("assets", ())}
        modality = make_modality(described.pop("name"), described, assets=assets)
        tensors = read_tensors(folder / "model.safetensors")[0]
        networks = {name: _build(name, kind, modality) for name, kind in config["networks"].items()}
        finishes = {name: Standardise(*tensors[f"finishes.{name}.axes"].shape) for name in networks}
        encoder = cls(networks, finishes, modality, record=config["record"])
        encoder.load_state_dict(tensors)
        return encoder.eval().to(device_at_hand())


def find_encoder(source: Any) -> Encoder:
    """Return an encoder as it is, that of a run, or the one in a run folder or a folder of its own."""
    if isinstance(source, str | Path):
        check_local(source, "a run to take the encoder of")
        folder = Path(source)
        return Encoder.from_pretrained(folder / "encoder" if (folder / "run.json").is_file() else folder)
    return getattr(source, "encoder", source)


def _describe(name: str, network: nn.Module, modality: Modality) -> dict[str, Any]:
    """Return what makes the network again: that it is a floor of this kind of data, or its class and configuration."""
    is_floor = type(network) is type(modality.floors().get(name)) and not hasattr(network, "config")
    return {"kind": "floor"} if is_floor else describe(network)


def _build(name: str, described: dict[str, Any], modality: Modality) -> nn.Module:
    if described["kind"] == "floor":
        return modality.floors()[name]
    return build(described, cut=modality.tokens)


def _read_asset(folder: Path, name: str) -> str:
    held = [path.name for path in folder.iterdir() if path.is_file()]
    if name not in held:  # nor is a name that leads elsewhere
        raise InputError(f"{folder} is not whole: {str(name)[:80]} is missing; copy all files of the folder.")
    return (folder / name).read_text(encoding="utf-8")


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(f"{folder} holds no encoder: config.json is missing.")
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # what is no JSON, or no UTF-8
        raise InputError(f"{path} is damaged ({error}): pretrain again.") from error
    if not isinstance(config, dict):
        raise InputError(f"{path} is damaged (it holds a {type(config).__name__}): pretrain again.")
    if config.get("format") != FORMAT:
        raise InputError(f"{path} is of format {config.get('format')}, this version reads {FORMAT}: pretrain again.")
    return config
