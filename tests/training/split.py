"""The same training in one process or several; run by torchrun it writes what each process ends with."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent.parent))

from toy import toy_images

from handful import Encoder, pretrain
from handful.encoders import ConvolutionalEncoder
from handful.methods import METHODS
from handful.methods.method import Method
from handful.modalities.image import Image
from handful.training.checkpoint import separate
from handful.training.loop import Schedule, train

METHODS_THAT_COMPARE = ["simclr", "moco", "vicreg", "sigreg", "autoencoder"]


class Mirrored(Image):
    """Images whose views are drawn from no generator, so that they do not depend on the process."""

    def view(self, batch: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        self.seen = not getattr(self, "seen", False)
        return batch if self.seen else 0.7 * batch.flip(3) + 0.1


def make(name: str) -> Method:
    """Return the method with its first weights: wide enough that no statistic is near zero."""
    torch.manual_seed(0)
    return METHODS[name](ConvolutionalEncoder(3, widths=(4, 8)), Mirrored(size=12, channels=3))


def train_split(name: str) -> dict[str, torch.Tensor]:
    """Return the gradients of one batch of 32, of which each process takes its share."""
    accelerator = Accelerator(cpu=True)
    method = make(name)
    model = accelerator.prepare(method)
    rows = torch.arange(32)[accelerator.process_index :: accelerator.num_processes]
    batch = method.modality.batch(toy_images().samples, rows.numpy())
    accelerator.backward(model(batch, torch.Generator().manual_seed(accelerator.process_index)).total)
    return separate({key: value.grad for key, value in method.named_parameters() if value.grad is not None})


def pretrain_here(folder: Path) -> Encoder:
    """Return the encoder of a whole `pretrain`, which all processes call alike."""
    return pretrain(toy_images(), epochs=1, batch_size=16, out=folder / "whole" / "encoder")


def main(folder: Path) -> None:
    """Write the gradients of every method, and the weights of a whole training, to `folder`."""
    for name in METHODS_THAT_COMPARE:
        gradients = train_split(name)
        if Accelerator().is_main_process:
            save_file(gradients, folder / f"{name}.safetensors")
    method, beats = make("simclr"), []
    schedule = Schedule(epochs=2, batch_size=48, precision="no")
    train(method, toy_images(), schedule, checkpoint=folder / "loop.safetensors", on_step=beats.append)
    rank = Accelerator().process_index
    save_file(separate(method.state_dict()), folder / f"loop-{rank}.safetensors")
    (folder / f"beats-{rank}.txt").write_text(str(len(beats)))
    vectors = pretrain_here(folder).embed(toy_images()).vectors
    save_file({"vectors": torch.from_numpy(vectors)}, folder / f"vectors-{rank}.safetensors")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
