"""Going on from a network that was trained elsewhere: its lower half stays as it is, its upper half learns slowly.

What the first layers see is common to all data of a kind, what the last ones make of it is not (Yosinski et al. 2014,
How transferable are features in deep neural networks?). The rate of a fresh network would undo what is known.
"""

from __future__ import annotations

from torch import nn

from handful.errors import InputError

RATE = 0.02
"""The share of the learning rate with which pretrained weights learn: 2e-5 of 1e-3."""


def hold_lower_half(network: nn.Module) -> None:
    """Keep the first half of the layers of `network` from learning; those after it learn on.

    Layers are the modules that have weights of their own, in the order in which they were made.
    Raises InputError where the network has no weights to train.
    """
    layers = [module for module in network.modules() if any(True for _ in module.parameters(recurse=False))]
    if not layers:
        kind = getattr(network, "kind", type(network).__name__)
        raise InputError(
            f"the {kind} that was given has no weights that can be trained (those of an ONNX file cannot): take it as "
            "it is, with method 'pretrained'."
        )
    for layer in layers[: len(layers) // 2]:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
