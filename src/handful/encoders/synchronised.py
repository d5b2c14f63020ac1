"""Rows and statistics of all processes, with gradients: a batch split over processes trains as the whole one does."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn


def process_count() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather_rows(rows: torch.Tensor) -> torch.Tensor:
    """Return the rows [B, ...] of every process, one after the other [B * processes, ...].

    Every process then takes the same loss of all rows. The gradients that reach a row are summed over the processes
    and averaged by the data-parallel wrapper, so that they equal those of one process with the whole batch.
    """
    return rows if process_count() == 1 else _Gather.apply(rows)


def sum_over_processes(values: torch.Tensor) -> torch.Tensor:
    """Return the sum of `values` over the processes, in every process."""
    return values if process_count() == 1 else _Sum.apply(values)


class BatchNorm(nn.BatchNorm1d):
    """Batch norm (Ioffe and Szegedy 2015) of [B, C, *space] with the statistics of all processes, on any device."""

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Any number of spatial axes is welcome."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training or process_count() == 1:
            return super().forward(input)
        mean, variance, count = _statistics(input.float())
        with torch.no_grad():
            unbiased = variance * (count / (count - 1))
            self.running_mean.lerp_(mean, self.momentum)  # type: ignore[union-attr, arg-type]
            self.running_var.lerp_(unbiased, self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        shape = (1, -1, *[1] * (input.ndim - 2))
        normal = (input - mean.view(shape)) * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(input.dtype)


def _statistics(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Return mean [C] and variance [C] over all processes, and how many values a channel they are of."""
    axes = [axis for axis in range(values.ndim) if axis != 1]
    count = values.numel() / values.shape[1] * process_count()
    mean = sum_over_processes(values.sum(axes)) / count
    centred = values - mean.view(1, -1, *[1] * (values.ndim - 2))
    return mean, sum_over_processes(centred.square().sum(axes)) / count, count


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor) -> torch.Tensor:
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(process_count())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        whole = gradients[0].contiguous()
        dist.all_reduce(whole)
        return whole.chunk(process_count())[dist.get_rank()]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total
