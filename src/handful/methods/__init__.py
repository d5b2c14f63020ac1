"""Ways of learning without labels, one file a family. They know tensors, views, tokens and a backbone."""

from __future__ import annotations

from handful.methods.autoencoding import VAE, Autoencoder, Denoising
from handful.methods.contrastive import MoCo, SIGReg, SimCLR, VICReg
from handful.methods.masked import Masked
from handful.methods.method import Foresight, Loss, Method
from handful.methods.predictive import CPC, Forecast

METHODS: dict[str, type[Method]] = {
    "simclr": SimCLR,
    "moco": MoCo,
    "vicreg": VICReg,
    "sigreg": SIGReg,
    "masked": Masked,
    "cpc": CPC,
    "forecast": Forecast,
    "autoencoder": Autoencoder,
    "denoising": Denoising,
    "vae": VAE,
}
"""Every method by the name people call it."""

FAMILIES = {
    "contrastive": ("simclr", "moco", "vicreg", "sigreg"),
    "masked": ("masked",),
    "predictive": ("cpc", "forecast"),
    "autoencoding": ("autoencoder", "denoising", "vae"),
}
"""The names of the methods of each family."""

__all__ = ["FAMILIES", "METHODS", "Foresight", "Loss", "Method"]
