"""A transformer over tokens (Vaswani et al. 2017; layer norm first, as in Dosovitskiy et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.tokens import RealTokens, SymbolTokens, TokenKind, Tokens
from handful.encoders.windows import run_in_windows
from handful.errors import InputError

LONGEST_PLAIN = 256  # parts
LONGEST = 10_000.0  # parts: the longest wavelength of the place code (Vaswani et al. 2017)
LONGEST_TURN = 100.0  # parts a radian of the slowest turn: nearly still within a window of 128


class TransformerEncoder(nn.Module):
    """Maps tokens to features [B, L, D] and their mean over the present ones [B, D].

    kind: of the tokens. axes: how many coordinates a place has.
    causal: a part attends only to parts whose first coordinate is not beyond its own.
    window: how many parts see each other; longer samples are read in windows. None lets all see all.
    rotary: places turn the queries and keys (RoFormer, Su et al. 2021), so that attention knows how far apart two parts
    are; else a code of the place is added to each part.
    dropout: the share of numbers that training sets to zero on the way out of each layer's two halves.
    cut: makes tokens of a batch, so that a batch can be given as well; it belongs to the kind of data, so it is given
    anew when the network is loaded.
    """

    reads_tokens = True

    def __init__(
        self,
        kind: TokenKind,
        *,
        axes: int,
        width: int = 192,
        depth: int = 4,
        heads: int = 3,
        causal: bool = False,
        window: int | None = None,
        rotary: bool = False,
        dropout: float = 0.0,
        cut: Callable[[Any], Tokens] | None = None,
    ) -> None:
        super().__init__()
        self.config = {
            "kind": describe_kind(kind),
            "axes": axes,
            "width": width,
            "depth": depth,
            "heads": heads,
            "causal": causal,
            "window": window,
            "rotary": rotary,
            "dropout": dropout,
        }
        self.kind, self.axes, self.width, self.causal, self.cut = kind, axes, width, causal, cut
        self.window = window
        self.stem = kind.stem(width)
        self.places = None if rotary else PlaceCode(axes, width)
        self.turns = Turns(axes, width // heads) if rotary else None
        self.layers = TransformerLayers(width, depth=depth, heads=heads, dropout=dropout)

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Callable[[Any], Tokens] | None) -> TransformerEncoder:
        """Return the network that `config` describes, not trained."""
        return cls(make_kind(config["kind"]), **{k: v for k, v in config.items() if k != "kind"}, cut=cut)

    def forward(
        self, batch: Any, *, hidden: torch.Tensor | None = None, stand_in: torch.Tensor | None = None
    ) -> Encoded:
        """Return features and their mean. hidden: [B, L] bool, parts in whose stead the vector `stand_in` [D] is read.

        The place is added after hiding: a hidden part is known by its place and nothing else.
        """
        tokens = batch if isinstance(batch, Tokens) else self.cut(batch)  # type: ignore[misc]
        parts = self.stem(tokens.values)  # [B, L, D]
        if hidden is not None and stand_in is not None:
            parts = torch.where(hidden[..., None], stand_in.to(parts.dtype), parts)
        read = tokens._replace(values=parts)
        if self.window is None:
            features = self._read(read)
        else:
            features = run_in_windows(
                lambda part, at: self._read(part), read, window=self.window, budget=_budget(parts)
            )
        return Encoded(features * tokens.present[..., None], mean_present(features, tokens.present))

    def _read(self, parts: Tokens) -> torch.Tensor:
        allowed = may_attend(parts, causal=self.causal)
        if self.places is not None:
            return self.layers(parts.values + self.places(parts.places), allowed)
        assert self.turns is not None
        return self.layers(parts.values, allowed, turn=self.turns(parts.places))


def _budget(parts: torch.Tensor) -> int | None:
    """Return how many parts run at a time: on a processor those of like length, in its cache; elsewhere all."""
    return 4096 if parts.device.type == "cpu" else None


class TransformerLayers(nn.Module):
    """`depth` layers of attention and a two-layer network, and a last layer norm; keeps the shape [B, L, width]."""

    def __init__(self, width: int, *, depth: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, parts: torch.Tensor, allowed: torch.Tensor | None = None, *, turn: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return what the layers make of `parts`. allowed: as `may_attend`; turn: as `Turns` returns it."""
        for layer in self.layers:
            parts = layer(parts, allowed, turn)
        return self.norm(parts)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inward, self.outward = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(
        self, parts: torch.Tensor, allowed: torch.Tensor | None, turn: torch.Tensor | None = None
    ) -> torch.Tensor:
        parts = parts + self.dropout(self._attend(self.norm1(parts), allowed, turn))
        return parts + self.dropout(self.network(self.norm2(parts)))

    def _attend(self, parts: torch.Tensor, allowed: torch.Tensor | None, turn: torch.Tensor | None) -> torch.Tensor:
        n, length, width = parts.shape
        split = self.inward(parts).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each [B, heads, L, D / heads]
        if turn is not None:
            query, key = turned(query, turn), turned(key, turn)
        mixed = attend(query, key, value, allowed)
        return self.outward(mixed.transpose(1, 2).reshape(n, length, width))


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, allowed: torch.Tensor | None) -> torch.Tensor:
    """Return scaled dot-product attention of [B, heads, L, d] each.

    torch's fused kernel takes 2 to 5 times as long as the plain products in half precision on a CPU (measured forward
    and backward, 12 to 256 parts), and is faster everywhere else.
    """
    if query.device.type != "cpu" or query.dtype == torch.float32 or query.shape[2] > LONGEST_PLAIN:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    odds = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if allowed is not None:
        odds = odds.masked_fill(~allowed, -torch.inf)
    return odds.softmax(-1).to(value.dtype) @ value


class PlaceCode(nn.Module):
    """Maps places [B or 1, L, A] to vectors [B or 1, L, width]: waves of each coordinate, and a small network on them.

    The shortest wave is two parts long, the shortest that parts can tell; a network, because waves of single
    coordinates alone cannot name one cell of a grid.
    """

    def __init__(self, axes: int, width: int) -> None:
        super().__init__()
        waves = max(width // (2 * axes), 1)
        self.frequencies = nn.Buffer(
            math.pi * torch.exp(torch.arange(waves) * (-math.log(LONGEST) / waves)), persistent=False
        )
        self.mix = nn.Sequential(nn.Linear(2 * axes * waves, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        angles = places[..., None].float() * self.frequencies  # [B or 1, L, A, waves]
        return self.mix(torch.cat([angles.sin(), angles.cos()], -1).flatten(2))


class Turns(nn.Module):
    """Maps places [B or 1, L, A] to the cosines and sines [2, B or 1, 1, L, width / 2] of the angles that pairs of a
    head's `width` numbers are turned by: an equal share of the pairs by each coordinate."""

    def __init__(self, axes: int, width: int) -> None:
        super().__init__()
        if width % 2:
            raise InputError(
                f"turns need heads of an even width, got {width}: choose another width or number of heads."
            )
        pairs = width // 2
        speeds = torch.zeros(axes, pairs)
        for axis, own in enumerate(torch.arange(pairs).tensor_split(axes)):
            speeds[axis, own] = LONGEST_TURN ** (-torch.arange(len(own)) / len(own))
        self.speeds = nn.Buffer(speeds, persistent=False)

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        angles = places.float() @ self.speeds
        return torch.stack([angles.cos(), angles.sin()])[:, :, None]


def turned(vectors: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Return vectors [B, heads, L, d] with the pairs of their halves turned: products of two depend on how far apart
    the two are and on nothing else of their places."""
    cosine, sine = turn.to(vectors.dtype)
    one, other = vectors.chunk(2, -1)
    return torch.cat([one * cosine - other * sine, one * sine + other * cosine], -1)


def may_attend(tokens: Tokens, *, causal: bool) -> torch.Tensor | None:
    """Return which parts may look at which, [B or 1, 1, L or 1, L] bool, or None where all may look at all."""
    allowed = None
    if torch.compiler.is_compiling() or not bool(tokens.present.all()):  # an exported network cannot look first
        allowed = tokens.present[:, None, None]  # [B, 1, 1, L]
        allowed = allowed | ~tokens.present.any(1)[:, None, None, None]  # an empty sample looks at itself: no NaN
    if causal:
        order = tokens.places[..., 0]
        earlier = (order[:, None, :] <= order[:, :, None])[:, None]  # [B or 1, 1, L, L]
        itself = torch.eye(order.shape[1], dtype=torch.bool, device=order.device)
        allowed = earlier if allowed is None else allowed & earlier | itself
    return allowed


def mean_present(features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return the mean [B, D] of features [B, L, D] over the present parts; 0 where there is none."""
    weight = present[..., None].to(features.dtype)
    return (features * weight).sum(1) / weight.sum(1).clamp(min=1)


def describe_kind(kind: TokenKind) -> dict[str, Any]:
    """Return what `make_kind` makes the kind again from: JSON values."""
    return {"symbolic": kind.symbolic, **vars(kind)}


def make_kind(described: dict[str, Any]) -> TokenKind:
    """Return the kind of token that `describe_kind` described."""
    rest = {name: value for name, value in described.items() if name != "symbolic"}
    return SymbolTokens(**rest) if described["symbolic"] else RealTokens(**rest)
