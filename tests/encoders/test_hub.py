"""What a folder, a name and the cache of the hub may hold, and every bad one told in one sentence."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pretrained_models import save_image_model, save_sound_model
from toy import toy_images, toy_sounds, toy_tables, toy_texts

from handful import InputError, pretrain
from handful.data import Dataset
from handful.encoders.local import find_local
from handful.encoders.pretrained_image import load_image_encoder

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    save_image_model("vit", root / "vit")
    save_sound_model("hubert", root / "hubert")
    return root


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the hub, empty, with no network."""
    (tmp_path / "hub").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def _keep(cache: Path, name: str, folder: Path) -> None:
    """Put a model into the cache of the hub under a name."""
    kept = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, kept / "snapshots" / ("0" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)


def _with_weights(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    from safetensors.torch import load_file, save_file

    def make(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})

    return make


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code of the file ran",)


def _as_pickle(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    torch.save({"embeddings.cls_token": _Runs()}, folder / "pytorch_model.bin", pickle_module=pickle)


def _cut_short(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def _poison(weights: dict[str, torch.Tensor]) -> None:
    next(iter(weights.values())).fill_(float("nan"))


def _drop_half(weights: dict[str, torch.Tensor]) -> None:
    for name in [name for name in weights if "layer" in name]:
        del weights[name]


def _processor(**changes: object) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / "preprocessor_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return make


def _write(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no processor": (lambda folder: (folder / "preprocessor_config.json").unlink(), "has no preprocessor_config.json"),
    "damaged processor": (_write("preprocessor_config.json", "{"), "preprocessor_config.json is damaged"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "holds no model"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "cannot be loaded by transformers"),
    "half a file": (_cut_short, "has weights that cannot be read .* download it again"),
    "half the weights": (_with_weights(_drop_half), "is not whole: .* of its .* weights are missing"),
    "weights with NaN": (_with_weights(_poison), "has weights that are not finite"),
    "a pickle that would run code": (_as_pickle, "keeps its weights in a pickle file .* run code"),
    "another size": (_processor(size={"height": 48, "width": 48}), "does not take what its own processor makes"),
    "no one size": (_processor(size={"max_pixels": 9}), "a processor with no one size of images"),
    "a config of nothing": (_write("config.json", "{}"), "cannot be loaded by transformers"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_folder_is_told_in_one_sentence(
    models: Path, tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "vit", folder)
    make, words = BAD[fault]
    make(folder)
    with pytest.raises(InputError, match=words) as told:
        load_image_encoder(folder)
    assert str(told.value).count("\n") == 0
    assert "code of the file ran" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("model", "make", "words"),
    [
        ("hubert", toy_images, "is a hubert, which reads no images"),
        ("vit", toy_sounds, "is a vit, which hears no sounds"),
        ("vit", toy_texts, "is a vit, which reads no texts"),
        ("vit", toy_tables, "no pretrained table encoders are read by name"),
    ],
)
def test_model_of_another_kind_is_refused(models: Path, model: str, make: Callable[[int], Dataset], words: str) -> None:
    with pytest.raises(InputError, match=words):
        pretrain(make(20), encoder=models / model)


def test_pooling_that_a_model_cannot_give_is_refused(models: Path, tmp_path: Path) -> None:
    save_image_model("resnet", tmp_path)
    with pytest.raises(InputError, match=r"pooling='cls' is not what .* choose one of 'pooler', 'mean'"):
        load_image_encoder(tmp_path, pooling="cls")
    with pytest.raises(InputError, match=r"pooling='men' is not known.* Did you mean 'mean'"):
        load_image_encoder(models / "vit", pooling="men")


def test_pooler_whose_weights_are_not_there_is_refused_not_drawn_by_chance(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vit"
    shutil.copytree(models / "vit", folder)
    assert load_image_encoder(folder, pooling="pooler").width == 16
    _with_weights(lambda weights: [weights.pop(name) for name in list(weights) if "pooler" in name])(folder)
    assert load_image_encoder(folder).pooling == "cls"
    with pytest.raises(InputError, match=r"pooling='pooler' is not what .* has the weights for: choose one of 'cls'"):
        load_image_encoder(folder, pooling="pooler")


def test_name_that_is_not_there_offline_says_where_it_was_sought(cache: Path) -> None:
    with pytest.raises(
        InputError, match=f"is not in the cache {cache} .*HF_HUB_OFFLINE is set.* `hf download org/none"
    ):
        pretrain(toy_images(20), encoder="org/none")


def test_name_in_the_cache_is_loaded_offline(models: Path, cache: Path) -> None:
    _keep(cache, "org/vit", models / "vit")
    assert load_image_encoder("org/vit").width == 16


def test_file_is_no_folder_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"is a file: .* handful.wrap takes an ONNX file"):
        load_image_encoder(tmp_path / "x.onnx")


def test_two_networks_side_by_side_are_refused(models: Path) -> None:
    with pytest.raises(InputError, match="names the networks simclr, vicreg: at most one"):
        pretrain(toy_images(20), "simclr+vicreg+pretrained", models / "vit")
    with pytest.raises(InputError, match="names the networks random, pretrained: at most one"):
        pretrain(toy_images(20), "random+pretrained", models / "vit")
    with pytest.raises(InputError, match="method='pretrained' needs a pretrained encoder"):
        pretrain(toy_images(20), "gradients+pretrained")


def test_auto_takes_what_is_on_the_machine_and_says_so(models: Path, cache: Path) -> None:
    _keep(cache, "org/vit", models / "vit")
    _keep(cache, "org/hubert", models / "hubert")
    encoder = pretrain(toy_images(20), encoder="auto")
    assert list(encoder.networks) == ["gradients", "pca", "pretrained"]
    assert "org/vit, vit of" in encoder.record["verdict"]


def test_auto_prefers_the_family_that_serves_best(models: Path, cache: Path, tmp_path: Path) -> None:
    _keep(cache, "org/vit", models / "vit")
    _keep(cache, "org/dino", save_image_model("dinov2", tmp_path / "dino"))
    found = find_local("image")
    assert found is not None
    assert found.name == "org/dino"
    assert find_local("text") is None


def test_auto_trains_here_where_nothing_is_on_the_machine(cache: Path) -> None:
    said: list[str] = []
    from handful.training.pretrain import Watch

    encoder = pretrain(toy_images(20), "untrained", "auto", watch=Watch(stage=said.append))
    assert list(encoder.networks) == ["pca", "gradients"]
    assert said[0].startswith(f"no pretrained image encoder is in {cache}")
