"""One loop: it descends, comes back to the same weights after any interruption, and stops where it must."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy import toy_images

from handful.encoders import ConvolutionalEncoder
from handful.errors import InputError
from handful.methods import METHODS, Loss
from handful.methods.method import Method
from handful.modalities.image import Image
from handful.training.loop import Beat, Schedule, train

SCHEDULE = Schedule(epochs=2, batch_size=16, precision="no")


def _method(name: str = "simclr") -> Method:
    torch.manual_seed(0)
    return METHODS[name](ConvolutionalEncoder(3, widths=(4, 8)), Image(size=12, channels=3))


class Stop(Exception):
    """What a test ends a training with."""


def _stop_at(epoch: int, step: int) -> object:
    def on_step(beat: Beat) -> None:
        if (beat.epoch, beat.step) == (epoch, step):
            raise Stop

    return on_step


def _same_weights(one: Method, other: Method) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def test_the_loss_falls() -> None:
    history = train(_method(), toy_images(128), Schedule(epochs=4, batch_size=32, precision="no")).history
    assert [line["epoch"] for line in history] == [1, 2, 3, 4]
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize("stop", [(1, 6), (2, 3)])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path, stop: tuple[int, int]) -> None:
    whole, parted = _method("moco"), _method("moco")
    # With a limit of half the usual norm every gradient is shortened once it is known what is usual.
    data, schedule = toy_images(), Schedule(epochs=2, batch_size=16, precision="no", average=0.9, limit=0.5)
    expected = train(whole, data, schedule)
    path = tmp_path / "loop.safetensors"
    with pytest.raises(Stop):
        train(parted, data, schedule, checkpoint=path, checkpoint_seconds=0, on_step=_stop_at(*stop))
    resumed = _method("moco")
    got = train(resumed, data, schedule, checkpoint=path)
    assert _same_weights(whole, resumed)
    assert got.history == expected.history


def _sides(method: Method) -> list[int]:
    """Note the side of all images that the network of `method` will be taught by."""
    sides: list[int] = []

    def note(network: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        if network.training:
            sides.append(given[0].shape[-1])

    method.backbone.register_forward_pre_hook(note)
    return sides


@pytest.mark.parametrize(("size", "expected"), [(72, [36] * 3 + [72] * 3), (24, [24] * 6)])
def test_a_training_begins_with_large_images_at_half_their_side(size: int, expected: list[int]) -> None:
    torch.manual_seed(0)
    method = METHODS["simclr"](ConvolutionalEncoder(3, widths=(4, 8)), Image(size=size, channels=3))
    sides = _sides(method)
    train(method, toy_images(48, size=size), Schedule(epochs=2, batch_size=16, precision="no", coarse=0.5))
    assert sides == expected


def test_an_interrupted_training_goes_on_as_coarse_as_it_was(tmp_path: Path) -> None:
    data, schedule = toy_images(48, size=64), Schedule(epochs=2, batch_size=16, precision="no", coarse=0.7)
    made = [METHODS["vicreg"](ConvolutionalEncoder(3, widths=(4, 8)), Image(size=64, channels=3)) for _ in range(3)]
    for method in made[1:]:
        method.load_state_dict(made[0].state_dict())
    whole, parted, resumed = made
    train(whole, data, schedule)
    path = tmp_path / "loop.safetensors"
    with pytest.raises(Stop):
        train(parted, data, schedule, checkpoint=path, checkpoint_seconds=0, on_step=_stop_at(2, 1))
    sides = _sides(resumed)
    train(resumed, data, schedule, checkpoint=path)
    assert sides == [32, 32, 64]  # the second epoch: 3, 4 and 5 sixths are done before its steps
    assert _same_weights(whole, resumed)


def test_a_method_whose_target_is_the_image_itself_sees_it_whole() -> None:
    image = Image(size=64, channels=3)
    contrastive, masked = (METHODS[name](METHODS[name].default_backbone(image), image) for name in ("moco", "masked"))
    assert contrastive.begins_coarse
    assert not masked.begins_coarse


_CALL = """
import sys, time
sys.path[:0] = [{tests!r}]
import torch
from toy import toy_images
from handful import pretrain
from handful.encoders import ConvolutionalEncoder
from handful.training.pretrain import Watch

def told(beat):
    print(beat.epoch, beat.step, flush=True)
    time.sleep({pause})

torch.manual_seed(0)
pretrain(toy_images(), "simclr", ConvolutionalEncoder(3, widths=(4, 8)), out={out!r}, epochs=2, batch_size=16,
         precision="no", watch=Watch(step=told))
"""


def _run(out: Path, *, pause: float = 0.0) -> subprocess.Popen[str]:
    code = _CALL.format(tests=str(Path(__file__).parent.parent), out=str(out), pause=pause)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


def test_a_training_that_was_killed_goes_on_with_the_same_call_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    with _run(tmp_path / "whole") as whole:
        whole.communicate(timeout=120)
    with _run(tmp_path / "killed", pause=0.2) as killed:
        assert killed.stdout is not None
        for line in killed.stdout:
            if line.strip() == "2 3":
                os.kill(killed.pid, signal.SIGKILL)
                break
    assert (whole.returncode, killed.returncode) == (0, -signal.SIGKILL)
    assert (tmp_path / "killed" / "loop.safetensors").is_file()
    with _run(tmp_path / "killed") as again:
        said, _ = again.communicate(timeout=120)
    assert said.splitlines()[0] == "2 1"  # the state is kept after each epoch, and within one every 30 seconds
    whole, parted = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == parted.keys()
    assert all(torch.equal(whole[name], parted[name]) for name in whole)


def test_another_seed_gives_other_weights_and_the_same_one_the_same() -> None:
    made = [_method() for _ in range(3)]
    for method, seed in zip(made, (0, 0, 1), strict=True):
        train(method, toy_images(), Schedule(epochs=1, batch_size=16, precision="no", seed=seed))
    assert _same_weights(made[0], made[1])
    assert not _same_weights(made[0], made[2])


def test_a_loss_that_is_not_finite_is_told_with_its_step() -> None:
    schedule = Schedule(epochs=2, batch_size=16, precision="no", learning_rate=1e30, warmup=0.0)
    with pytest.raises(InputError, match=r"the loss became (nan|inf) in epoch 1, step [2-6], at learning rate 1e\+30"):
        train(_method("autoencoder"), toy_images(), schedule)


def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.safetensors"
    train(_method(), toy_images(), SCHEDULE, checkpoint=path, identity={"seed": 0})
    with pytest.raises(InputError, match="is of a training with other settings or data"):
        train(_method(), toy_images(), SCHEDULE, checkpoint=path, identity={"seed": 1})


def test_a_finished_training_is_not_begun_again(tmp_path: Path) -> None:
    path, beats = tmp_path / "loop.safetensors", []
    first = train(_method(), toy_images(), SCHEDULE, checkpoint=path)
    second = train(_method(), toy_images(), SCHEDULE, checkpoint=path, on_step=beats.append)
    assert (second.history, beats) == (first.history, [])


class _Alone(Method):
    """An autoencoder without batch statistics and without randomness."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        image = Image(size=12, channels=3)
        super().__init__(image.token_backbone(), image)
        self.head = torch.nn.Linear(self.backbone.width, 12)

    def forward(self, batch: torch.Tensor, generator: torch.Generator) -> Loss:
        tokens = self.modality.tokens(batch)
        error = self.head(self.backbone(tokens).features) - tokens.values
        return Loss(error.square().mean(), {})


def test_accumulated_gradients_are_those_of_the_whole_batch_where_samples_stand_alone() -> None:
    whole, parted = _Alone(), _Alone()
    for method, accumulate in ((whole, 1), (parted, 4)):
        train(method, toy_images(32), Schedule(epochs=1, batch_size=32, precision="no", accumulate=accumulate))
    for (name, one), other in zip(whole.named_parameters(), parted.parameters(), strict=True):
        torch.testing.assert_close(one, other, msg=name, atol=1e-5, rtol=1e-4)


def test_accumulating_a_loss_that_compares_samples_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="a sample is compared with the 4 of its part only, not with the 16"):
        train(_method(), toy_images(32), Schedule(epochs=1, batch_size=16, precision="no", accumulate=4))


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(InputError, match="choose a multiple of 3"):
        train(_method(), toy_images(), Schedule(epochs=1, batch_size=16, precision="no", accumulate=3))


def test_the_averaged_weights_come_out() -> None:
    method, data = _method(), toy_images()
    still = method.backbone.stem.weight.detach().clone()
    train(method, data, Schedule(epochs=1, batch_size=16, precision="no", average=1.0))
    torch.testing.assert_close(method.backbone.stem.weight, still)


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    schedule = Schedule(learning_rate=2.0, warmup=0.1)
    assert schedule.rate(0.0) == 0
    assert schedule.rate(0.05) == pytest.approx(1.0)
    assert schedule.rate(0.1) == pytest.approx(2.0)
    assert schedule.rate(0.55) == pytest.approx(1.0)
    assert schedule.rate(1.0) == pytest.approx(0.0)


def test_beats_count_steps_and_seconds() -> None:
    beats: list[Beat] = []
    train(_method(), toy_images(), SCHEDULE, on_step=beats.append)
    assert [(beat.epoch, beat.step) for beat in beats] == [(e, s) for e in (1, 2) for s in range(1, 7)]
    assert beats[-1].seconds_left == 0
    assert beats[0].samples_per_second > 0


def test_a_tracker_that_is_not_installed_is_told() -> None:
    with pytest.raises(InputError, match="tracker='nowhere' is not known: choose one of"):
        train(_method(), toy_images(), SCHEDULE, trackers=["nowhere"])
    with pytest.raises(InputError, match="the tracker 'aim' is not installed"):
        train(_method(), toy_images(), SCHEDULE, trackers=["aim"])


def test_the_figures_of_each_epoch_go_to_a_tracker(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    method, data = _method(), toy_images()
    told = train(method, data, SCHEDULE, checkpoint=tmp_path / "loop.safetensors", trackers=["tensorboard"])
    events = EventAccumulator(str(next(tmp_path.rglob("events*")).parent))
    events.Reload()
    kept = [event.value for event in events.Scalars("loss")]
    assert kept == pytest.approx([line["loss"] for line in told.history], rel=1e-5)


def test_half_precision_on_this_processor_trains_too() -> None:
    method, full = _method(), _method()
    half = train(method, toy_images(), Schedule(epochs=1, batch_size=16, precision="bf16")).history
    whole = train(full, toy_images(), Schedule(epochs=1, batch_size=16, precision="no")).history
    assert half[0]["loss"] == pytest.approx(whole[0]["loss"], rel=0.05)
    assert method.backbone.stem.weight.dtype == torch.float32
