"""Videos: clips from files, frames and arrays, views that keep time, patches and back, and the next frames."""

from __future__ import annotations

import base64
import io
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from sounds import encoded_sound, tone
from toy import toy_videos

import handful
from handful import InputError
from handful.methods import METHODS
from handful.methods.predictive import future_pairs
from handful.methods.pretext import two_views
from handful.modalities.registry import make_modality
from handful.modalities.video import Video
from handful.modalities.video_files import read_frames, write_video
from handful.tasks.next_frames import next_frames, write_next


def film(n: int = 24, *, width: int = 32, height: int = 32, seed: int = 0) -> np.ndarray:
    """Return n frames [n, 3, height, width] of a bright bar that moves to the right."""
    frames = np.full((n, 3, height, width), 30 + 15 * seed, np.uint8)
    for step in range(n):
        at = step % (width - 6)
        frames[step, :, :, at : at + 6] = 220
    return frames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "v" / "a").mkdir(parents=True)
    for number in range(3):
        write_video(film(seed=number), tmp_path / "v" / "a" / f"{number}.mp4")
    return tmp_path / "v"


def test_a_clip_is_taken_from_the_middle_of_every_file(folder: Path) -> None:
    write_video(film(width=32, height=48), folder / "portrait.avi")
    data = handful.read(folder, size=16, window=6)
    assert data.modality == "video"
    assert data.ids.tolist() == ["a/0.mp4", "a/1.mp4", "a/2.mp4", "portrait.avi"]
    assert data.samples[np.arange(4)].shape == (4, 6, 3, 16, 16)
    assert len(set(data.digests.tolist())) == 4
    brightest = data.samples[0][:, 0].mean(1).argmax(1)
    assert (np.diff(brightest.astype(int)) >= 0).all()
    assert brightest[-1] > brightest[0]


def test_a_single_file_is_cut_into_clips_that_name_their_frames(folder: Path) -> None:
    data = handful.read(folder / "a" / "0.mp4", size=16, window=8)
    assert data.ids.tolist() == [f"0.mp4[{start}:{start + 8}]" for start in (0, 4, 8, 12, 16)]
    wide = handful.read(folder / "a" / "0.mp4", size=16, window=4, every=3, stride=7)
    assert wide.ids.tolist() == ["0.mp4[0:10]", "0.mp4[7:17]", "0.mp4[14:24]"]
    np.testing.assert_array_equal(wide.samples[0], data.samples.films[0][[0, 3, 6, 9]])


def test_a_list_of_files_is_read_a_clip_of_each(folder: Path) -> None:
    files = [folder / "a" / "1.mp4", folder / "a" / "0.mp4"]
    found = handful.read(files, size=16, window=6)
    assert found.modality == "video"
    assert found.ids.tolist() == [str(file) for file in files]
    whole = handful.read(folder, size=16, window=6)
    np.testing.assert_array_equal(found.samples[np.array([1, 0])], whole.samples[np.arange(2)])
    with pytest.raises(InputError, match=r"gone.mp4 does not exist"):
        handful.read([folder / "gone.mp4"])


def test_folders_of_frames_gifs_and_arrays_are_read(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "f" / name).mkdir(parents=True)
        for step, picture in enumerate(film(6)):
            Image.fromarray(np.moveaxis(picture, 0, -1)).save(tmp_path / "f" / name / f"{step:03d}.png")
    data = handful.read(tmp_path / "f", modality="video", size=32, window=5)
    assert data.ids.tolist() == ["one", "two"]
    np.testing.assert_array_equal(data.samples[0], film(6)[:5])
    write_video(film(12), tmp_path / "a.gif")
    assert len(handful.read(tmp_path / "a.gif", modality="video", window=6)) == 3
    clips = np.stack([film(5), film(5, seed=9)])
    assert np.array_equal(handful.read(clips).samples[np.arange(2)], clips)
    assert np.array_equal(handful.read(clips / 255.0).samples[np.arange(2)], clips)


def test_what_cannot_be_read_is_left_out_and_named(folder: Path) -> None:
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "words.mov").write_bytes(b"no video at all")
    (folder / "song.mp4").write_bytes(encoded_sound(tone()))
    write_video(film(3), folder / "short.mp4")
    with av.open(str(folder / "none.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.start_encoding()
    broken = (folder / "a" / "0.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(broken[: len(broken) // 3])
    data = handful.read(folder, size=16, window=6)
    assert len(data) == 3
    told = {refusal.id: refusal.reason for refusal in data.refused}
    assert told["short.mp4"] == "has 3 frames, 6 are needed for a clip"
    assert told["empty.mp4"] == "is empty (0 bytes)"
    assert told["song.mp4"] == "holds no pictures, only sound"
    assert told["none.avi"] == "holds no frame"
    assert set(told) == {"cut.mp4", "empty.mp4", "none.avi", "short.mp4", "song.mp4", "words.mov"}
    with pytest.raises(InputError, match="cannot be read"):
        handful.read(folder, size=16, window=6, strict=True)


def write_unevenly(frames: np.ndarray, milliseconds: list[int], path: Path) -> Path:
    """Write frames [T, 3, H, W] as a video in which frame i is shown at `milliseconds[i]`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[3], frames.shape[2], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for picture, moment in zip(frames, milliseconds, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.moveaxis(picture, 0, -1)), format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_at_uneven_times_are_read_at_an_even_rate(tmp_path: Path) -> None:
    moments = [*range(0, 400, 20), *range(400, 1400, 100)]  # 20 frames at 50 a second, then 10 at 10: 22.5 on average
    data = handful.read(write_unevenly(film(30), moments, tmp_path / "v.mp4"), size=32, window=6)
    shown = (data.samples.films[0][:, 0].mean(1) > 125).argmax(1)  # where the bar begins: the frame's number, up to 26
    seconds = np.arange(len(shown)) * 1.3 / 29
    expected = np.interp(seconds, np.array(moments) / 1000, np.arange(30) % 26)
    early = seconds < 0.9
    assert len(shown) == 30
    assert np.abs(shown[early] - expected[early]).max() <= 2


def test_a_film_without_its_index_and_one_turned_upright_are_read(tmp_path: Path) -> None:
    whole = write_video(film(), tmp_path / "a.avi").read_bytes()
    write_video(film(width=32, height=64), tmp_path / "b.mp4")
    (tmp_path / "cut.avi").write_bytes(whole[: whole.rfind(b"idx1")])
    (tmp_path / "wrong.avi").write_bytes(whole[: whole.rfind(b"idx1")] + b"idx1" + bytes(200))
    data = handful.read(tmp_path, size=16, window=6)
    assert data.ids.tolist() == ["a.avi", "b.mp4", "cut.avi", "wrong.avi"]
    np.testing.assert_array_equal(data.samples[2], data.samples[0])
    np.testing.assert_array_equal(data.samples[3], data.samples[0])


def test_the_last_clip_of_a_film_ends_where_the_film_does(folder: Path) -> None:
    data = handful.read(folder / "a" / "0.mp4", size=16, window=9)
    assert data.ids.tolist()[-2:] == ["0.mp4[12:21]", "0.mp4[15:24]"]
    np.testing.assert_array_equal(data.samples.run_up(len(data) - 1, 12), data.samples.films[0][12:24])
    assert len(data.samples.run_up(0, 99)) == 9


def test_a_long_film_is_read_frame_by_frame(tmp_path: Path) -> None:
    long = write_video(np.tile(film(30), (20, 1, 1, 1)), tmp_path / "long.mp4")
    tracemalloc.start()
    count = sum(1 for _ in read_frames(long, size=32, channels=3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 600
    assert peak < 600 * 3 * 32 * 32 / 4


def test_a_second_reading_decodes_nothing(folder: Path, cache: Path) -> None:
    first = handful.read(folder, size=16, window=6)
    written = sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*.rgb"))
    second = handful.read(folder, size=16, window=6)
    assert len(written) == 3
    assert sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*.rgb")) == written
    assert second.fingerprint == first.fingerprint


def test_a_view_changes_all_frames_alike() -> None:
    data = toy_videos()
    modality = make_modality("video", data.settings)
    still = modality.batch(data.samples, np.arange(8))[:, :, :1].expand(-1, -1, 4, -1, -1)
    seen = modality.view(still, generator=torch.Generator().manual_seed(0))
    assert seen.shape == (8, 1, 3, 12, 12)
    torch.testing.assert_close(seen, seen[:, :, :1].expand_as(seen))
    assert not torch.equal(seen, still[:, :, :3])


def test_two_views_are_two_clips_of_one_video_at_its_own_pace() -> None:
    modality = Video(size=8, channels=1, window=9, crop=1.0, colour=0.0)
    numbers = torch.arange(9.0)[None, None, :, None, None].expand(16, 1, -1, 8, 8) / 9
    views = two_views(numbers, modality, torch.Generator().manual_seed(0)).mean((1, 3, 4)) * 9  # [32, 6]
    torch.testing.assert_close(views.diff(dim=1), torch.ones(32, 5), atol=1e-3, rtol=0)
    starts = views[:, 0].round()
    assert set(starts.tolist()) == {0, 1, 2, 3}
    assert (starts[:16] != starts[16:]).any()


def test_masked_training_reads_whole_tubes_and_cpc_looks_at_the_same_place_of_later_frames() -> None:
    data = toy_videos(6)
    modality = make_modality("video", data.settings)
    batch = modality.batch(data.samples, np.arange(6))
    torch.manual_seed(0)
    method, read = METHODS["masked"](METHODS["masked"].default_backbone(modality), modality), []
    method.backbone.register_forward_pre_hook(lambda module, given: read.append(given[0].places))
    method(batch, torch.Generator().manual_seed(0))
    for places in read[0]:  # [K, 3] of each clip: frame, row, column
        frames, kept = places[:, 0].long(), {tuple(place) for place in places[:, 1:].tolist()}
        assert len(places) == 4 * len(kept)
        assert torch.equal(frames.bincount(), torch.full((4,), len(kept)))
    tokens = modality.tokens(batch)
    now, later = future_pairs(tokens, 2)
    places = tokens.places_of_each().flatten(0, 1)
    torch.testing.assert_close(places[later] - places[now], torch.tensor([2.0, 0, 0]).expand(len(now), -1))


def test_patches_come_back_and_tubes_are_hidden_whole() -> None:
    data = toy_videos()
    modality = make_modality("video", data.settings)
    batch = modality.batch(data.samples, np.arange(5))
    tokens = modality.tokens(batch)
    torch.testing.assert_close(modality.from_tokens(tokens, like=batch), batch)
    assert tokens.step == modality.side**2
    assert tokens.together is not None
    from handful.methods.pretext import hide

    _, hidden = hide(tokens, 0.75, torch.Generator().manual_seed(0))
    by_frame = hidden.unflatten(1, (4, -1))
    assert torch.equal(by_frame, by_frame[:, :1].expand_as(by_frame))


def test_next_frames_beat_a_copy_and_are_written(tmp_path: Path) -> None:
    data = toy_videos(32, frames=5)
    encoder = handful.pretrain(data, "forecast", epochs=15, batch_size=8, learning_rate=2e-3, seed=0)
    found = [next_frames(encoder, data, row=row, steps=2) for row in range(8)]
    assert np.mean([one.error for one in found]) < 0.7 * np.mean([one.copy_error for one in found])
    paths = write_next(found[0], tmp_path / "next.mp4")
    assert [path.name for path in paths] == ["next.mp4", "next-error.mp4"]
    again = handful.read(tmp_path / "next.mp4", size=12, window=2)
    assert len(again) == 1
    with pytest.raises(InputError, match="pretrain with method 'forecast'"):
        next_frames(handful.pretrain(data, epochs=0), data)


def test_the_course_tells_which_way_things_move_and_the_mean_with_the_changes_does_not() -> None:
    films = np.stack([film(24, seed=seed)[:, :1] for seed in range(4)])
    both = np.concatenate([films, films[:, ::-1]])
    data = handful.read(both, modality="video")
    towards = np.repeat([0, 1], 4)

    def alike(method: str) -> np.ndarray:
        vectors = handful.pretrain(data, method).embed(data).vectors
        likeness = vectors @ vectors.T
        np.fill_diagonal(likeness, -np.inf)
        return towards[likeness.argmax(1)] == towards

    assert alike("course").all()
    assert not alike("pca").all()
    assert list(handful.pretrain(data).networks) == ["pca", "course"]


def test_a_clip_is_shown_playing() -> None:
    data = toy_videos(4, frames=5)
    shown = make_modality("video", data.settings).show(data.samples, np.array([0, 2]))
    picture = Image.open(io.BytesIO(base64.b64decode(shown[1].split("base64,")[1].split('"')[0])))
    assert (picture.n_frames, picture.size) == (5, (12, 12))
    picture.seek(4)
    assert np.abs(np.asarray(picture.convert("L")).astype(int) - data.samples[2][4, 0]).mean() < 12


BAD = [
    (np.zeros((3, 4, 5, 8, 8), np.uint8), {}, "c 1 or 3"),
    (np.full((3, 4, 1, 8, 8), 7.0), {}, "floats from 0 to 1"),
    (np.zeros((3, 4, 1, 8, 8), np.int32), {}, "holds int32"),
    ("nowhere.mp4", {}, "does not exist"),
    (np.zeros((3, 4, 1, 8, 8), np.uint8), {"window": 1}, "window must be a whole number of at least 2, got 1"),
    (np.zeros((3, 4, 1, 8, 8), np.uint8), {"channels": 2}, "channels must be 1 or 3, got 2"),
]


@pytest.mark.parametrize(("source", "settings", "told"), BAD, ids=[case[-1][:20] for case in BAD])
def test_bad_videos_are_told_in_one_sentence(source, settings, told) -> None:
    with pytest.raises(InputError, match=told) as error:
        handful.read(source, modality="video", **settings)
    assert "\n" not in str(error.value)
