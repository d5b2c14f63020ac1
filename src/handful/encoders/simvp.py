"""The next frames of a clip, all at once: SimVP (Gao et al. 2022), whose decoder moves layers of the last frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from handful.encoders.encoded import Encoded
from handful.encoders.forecaster import Compared
from handful.encoders.saving import Cut

PATCH = 4  # pixels a side of the finest cells; the mixer works on cells of twice that side
REACH = 8.0  # pixels that a flow of 1 moves
ABSOLUTE, UNLIKE = 0.5, 0.2  # of the absolute error and of the lack of similarity in the loss


class SimVP(nn.Module):
    """Guesses the `ahead` frames after `known` ones, and rolls on from its own guesses where more are asked for.

    As in the paper, frames are encoded one by one, and the channels of all of them side by side are mixed in the latent
    space. The decoder is another: it splits the last frame into `layers`, mends what they hid of each other, moves each
    by a flow that adds up from frame to frame (Wang and Adelson 1994), and corrects the sum. Texture is so taken from
    what was seen and not learnt by heart, which takes few clips where the paper needs many, and it begins as a copy of
    the last frame.
    Batches are [B, C, T, H, W] in [-1, 1]; frames missing before the first are copies of it.
    channels: C. width: channels of a frame's cells; mixed, depth: of the mixer.
    """

    def __init__(
        self,
        channels: int,
        *,
        known: int,
        ahead: int,
        layers: int = 2,
        width: int = 32,
        mixed: int = 256,
        depth: int = 3,
        cut: Cut,
    ) -> None:
        super().__init__()
        self.config = {
            "channels": channels,
            "known": known,
            "ahead": ahead,
            "layers": layers,
            "width": width,
            "mixed": mixed,
            "depth": depth,
        }
        self.channels, self.known, self.ahead, self.layers, self.cut = channels, known, ahead, layers, cut
        self.width = mixed
        pixels = channels * PATCH**2
        self.fine, self.coarse = _Convolved(pixels, width), _Convolved(width, 2 * width, stride=2)
        self.inward = nn.Conv2d(known * 2 * width, mixed, 1)
        self.mixer = nn.Sequential(*(_Mix(mixed) for _ in range(depth)))
        self.finer = nn.Conv2d(mixed, 4 * width, 1)
        self.split = nn.Sequential(
            _Convolved(4 * width, 2 * width),
            _Convolved(2 * width, 2 * width),
            nn.Conv2d(2 * width, layers * (PATCH**2 + pixels), 3, padding=1),
        )
        self.flow = nn.Conv2d(mixed, ahead * layers * 2, 3, padding=1)
        self.hint = nn.Conv2d(mixed, ahead * 16 * 4, 1)
        self.correct = nn.Sequential(_Convolved(16 + pixels, 24), nn.Conv2d(24, pixels, 3, padding=1))
        self._begin_as_a_copy()

    @classmethod
    def from_config(cls, config: dict[str, Any], *, cut: Cut) -> SimVP:
        """Return the network that `config` describes, not trained."""
        return cls(**config, cut=cut)

    def forward(self, batch: torch.Tensor) -> Encoded:
        """Return the mixed cells of all stretches of `known` frames [B, L, D], and their mean."""
        clip = _padded(batch)
        ends = range(clip.shape[2], 0, -self.known)
        cells = [self._read(self._context(clip[:, :, :end]))[1].flatten(2).transpose(1, 2) for end in ends]
        features = torch.cat(cells, 1)
        return Encoded(features, features.mean(1))

    def go_on(self, seen: torch.Tensor, steps: int) -> torch.Tensor:
        """Return the `steps` frames [B, C, steps, H, W] after `seen` [B, C, T, H, W]."""
        film = _padded(seen)
        while film.shape[2] < seen.shape[2] + steps:
            film = torch.cat([film, self._guess(self._context(film))], 2)
        return film[:, :, seen.shape[2] : seen.shape[2] + steps, : seen.shape[3], : seen.shape[4]]

    def compare(self, batch: torch.Tensor) -> Compared:
        """Return the last frames of clips [B, C, T, H, W] beside what is guessed from those before, as tokens."""
        return self._beside(batch, self.go_on)

    naive_way = "repeating the last frame"

    def naive(self, batch: torch.Tensor) -> Compared:
        """Return the same frames beside the one before them, repeated."""
        return self._beside(batch, lambda seen, steps: seen[:, :, -1:].expand(-1, -1, steps, -1, -1))

    def mismatch(self, found: Compared) -> torch.Tensor:
        """Return how wrong the guess of each part is, [B, L]: squared error, absolute error and lack of similarity.

        Squares alone ask for the mean of what may come: faint shadows where there is nothing (LOG.md). The mixture is
        that of Zhao et al. (2017).
        """
        apart = _apart(found)
        unlike = 1 - similarity(found.truth.float() + apart, found.truth.float())
        return (apart.square() + ABSOLUTE * apart.abs()).mean(-1) + UNLIKE * unlike

    def error(self, found: Compared) -> torch.Tensor:
        """Return the squared error of each part [B, L]."""
        return _apart(found).square().mean(-1)

    def _beside(self, batch: torch.Tensor, go_on: Callable[[torch.Tensor, int], torch.Tensor]) -> Compared:
        """Return the last frames of clips [B, C, T, H, W] beside how `go_on` goes on from those before, as tokens."""
        steps = min(self.ahead, batch.shape[2] - 1)
        seen, come = batch[:, :, : batch.shape[2] - steps], batch[:, :, batch.shape[2] - steps :]
        if not steps:
            nothing = batch.new_zeros(len(batch), 0, 1)
            return Compared(nothing, nothing, nothing[..., 0].bool())
        truth = self.cut(come)
        return Compared(self.cut(go_on(seen, steps)).values, truth.values, truth.present)

    def _context(self, film: torch.Tensor) -> torch.Tensor:
        """Return the last `known` frames as they are shown, the first repeated where there are fewer."""
        missing = self.known - film.shape[2]
        if missing > 0:
            film = torch.cat([film[:, :, :1].expand(-1, -1, missing, -1, -1), film], 2)
        return film[:, :, -self.known :].clamp(-1, 1)

    def _read(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the fine cells of each frame [B, T, width, h, w], and the mixed ones [B, D, h / 2, w / 2]."""
        n = len(seen)
        cells = F.pixel_unshuffle(seen.transpose(1, 2).flatten(0, 1), PATCH)
        fine = self.fine(cells.contiguous(memory_format=torch.channels_last))
        coarse = self.coarse(fine).unflatten(0, (n, self.known)).flatten(1, 2)
        return fine.unflatten(0, (n, self.known)), self.mixer(self.inward(coarse))

    def _guess(self, seen: torch.Tensor) -> torch.Tensor:
        """Return the `ahead` frames after exactly `known` ones, whose sides are whole numbers of coarse cells."""
        fine, mixed = self._read(seen)
        parts = self._split(seen[:, :, -1], fine, mixed)  # [B, K, C, H, W]
        moved = self._move(parts, mixed)  # [B * A, C, H, W]
        hint = F.pixel_shuffle(self.hint(mixed), 2).unflatten(1, (self.ahead, -1)).flatten(0, 1)
        given = torch.cat([hint, F.pixel_unshuffle(moved, PATCH)], 1)
        change = self.correct(given.contiguous(memory_format=torch.channels_last))
        frames = moved + F.pixel_shuffle(change, PATCH)
        return frames.unflatten(0, (len(seen), self.ahead)).transpose(1, 2) * 2 - 1

    def _split(self, last: torch.Tensor, fine: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        """Return layers [B, K, C, H, W] whose sum is the last frame [B, C, H, W], black 0, and what they hid."""
        near = [fine[:, at] for at in (self.known - 1, (self.known - 1) * 2 // 3, 0)]
        found = self.split(torch.cat([F.pixel_shuffle(self.finer(mixed), 2), *near], 1))
        found = F.pixel_shuffle(found, PATCH)
        share = found[:, : self.layers].softmax(1)[:, :, None]
        return (last[:, None] + 1) / 2 * share + found[:, self.layers :].unflatten(1, (self.layers, -1))

    def _move(self, parts: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        """Return the sum [B * A, C, H, W] of the layers [B, K, C, H, W], moved to each of the frames to come."""
        n, layers, _, height, width = parts.shape
        flow = self.flow(mixed).unflatten(1, (self.ahead, layers * 2)).cumsum(1)
        flow = F.interpolate(flow.flatten(0, 1), (height, width), mode="bilinear")
        flow = flow.unflatten(1, (layers, 2)).flatten(0, 1).permute(0, 2, 3, 1)  # [B * A * K, H, W, 2]
        across, down = (torch.linspace(-1, 1, side, device=flow.device) for side in (width, height))
        still = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
        scale = flow.new_tensor([2 * REACH / (width - 1), 2 * REACH / (height - 1)])
        repeated = parts[:, None].expand(-1, self.ahead, -1, -1, -1, -1).flatten(0, 2)
        moved = F.grid_sample(repeated, still + flow * scale, padding_mode="border", align_corners=True)
        return moved.unflatten(0, (n * self.ahead, layers)).sum(1)

    @torch.no_grad()
    def _begin_as_a_copy(self) -> None:
        masks = self.layers * PATCH**2
        self.split[-1].weight[masks:] = 0  # type: ignore[operator]
        self.flow.weight.mul_(1e-2)  # not zero: layers must differ to part
        for last in (self.split[-1], self.flow, self.correct[-1]):
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.correct[-1].weight)  # type: ignore[arg-type]


class _Convolved(nn.Sequential):
    """A convolution of three by three, group norm, SiLU."""

    def __init__(self, before: int, after: int, *, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.GroupNorm(2, after), nn.SiLU())


class _Mix(nn.Module):
    """A block of the mixer: each channel over five by five cells, then all channels of each cell (as ConvNeXt, Liu et
    al. 2022, which does in one kernel what the paper's inception blocks do in four)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.space = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.channels = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.GELU(), nn.Conv2d(2 * width, width, 1))
        self.scale = nn.Parameter(torch.full((1, width, 1, 1), 0.3))

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        return cells + self.scale * self.channels(self.space(self.norm(cells)))


def similarity(guess: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the structural similarity (Wang et al. 2004) of parts [B, L, P] in [-1, 1], each a window: [B, L]."""
    first, second = 0.01**2, 0.03**2  # of a range of 1; they keep flat windows from dividing by nothing
    guess, truth = (guess + 1) / 2, (truth + 1) / 2
    guess_mean, truth_mean = guess.mean(-1), truth.mean(-1)
    guess, truth = guess - guess_mean[..., None], truth - truth_mean[..., None]
    light = (2 * guess_mean * truth_mean + first) / (guess_mean.square() + truth_mean.square() + first)
    spread = guess.square().mean(-1) + truth.square().mean(-1)
    return light * (2 * (guess * truth).mean(-1) + second) / (spread + second)


def _apart(found: Compared) -> torch.Tensor:
    """Return how far guesses are from the truth as they are shown [B, L, P]: darker than black is black.

    Else black grounds come out as the faintest grey, which a similarity of structure sees (LOG.md). A guess beyond
    the end is still drawn back where the truth is not at it.
    """
    guess, truth = found.guess.float(), found.truth.float()
    beyond = ((truth <= -1) & (guess < -1)) | ((truth >= 1) & (guess > 1))
    return (guess - truth).masked_fill(beyond, 0.0)


def _padded(clip: torch.Tensor) -> torch.Tensor:
    """Return a clip [B, C, T, H, W] whose sides are whole numbers of coarse cells, its last pixels repeated."""
    down, across = (-side % (2 * PATCH) for side in clip.shape[3:])
    if not (down or across):
        return clip
    return F.pad(clip.flatten(1, 2), (0, across, 0, down), mode="replicate").unflatten(1, clip.shape[1:3])
