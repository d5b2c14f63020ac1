"""Reading images from every kind of source."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import encoded, picture, write_idx, write_pictures
from PIL import Image

import handful
from handful import InputError
from handful.data import memory
from handful.data.items import Undecodable
from handful.modalities.image_arrays import LAYOUTS, find_layout, find_value_range, to_bytes, with_channels
from handful.modalities.image_files import decode_image, looks_like_image, probe_image
from handful.modalities.image_reading import default_size

PIXELS = np.asarray(picture(0)).transpose(2, 0, 1)  # [3, 32, 32]


def decoded(content, *, size=32, channels=3, fit="crop"):
    return decode_image(content, size=size, channels=channels, fit=fit)


# -- one image --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("PPM", {}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("WEBP", {"quality": 95}, 25),
        ("AVIF", {"quality": 95}, 25),
    ],
)
def test_every_format_decodes_to_the_same_pixels(kind, options, tolerance):
    got = decoded(encoded(picture(0), kind, **options))
    assert np.abs(got.astype(int) - PIXELS).max() <= tolerance


def test_the_first_frame_of_an_animation_counts():
    frames = [picture(seed, mode="L") for seed in range(3)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.array_equal(decoded(content, channels=1)[0], np.asarray(frames[0]))


def test_transparency_is_laid_on_white():
    image = Image.new("RGBA", (32, 32), (200, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 16, 32))
    got = decoded(encoded(image))
    assert got[:, 0, 0].tolist() == [0, 0, 200]
    assert got[:, 0, 31].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", ["LA", "palette", "key colour"])
def test_every_kind_of_transparency_is_seen(kind):
    if kind == "LA":
        content = encoded(Image.new("LA", (8, 8), (10, 0)))
    elif kind == "palette":
        content = encoded(Image.new("RGBA", (8, 8), (10, 20, 30, 0)).quantize(4, method=2), "PNG")
    else:
        content = encoded(Image.new("RGB", (8, 8), (10, 20, 30)), "PNG", transparency=(10, 20, 30))
    assert (decoded(content, size=8) == 255).all()


def test_exif_rotation_is_applied():
    upright = picture(1, (32, 48))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    turned = encoded(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    assert np.array_equal(decoded(turned), decoded(encoded(upright)))


def test_16_bit_grey_keeps_its_top_8_bits():
    values = np.linspace(0, 65535, 1024).reshape(32, 32).astype(np.uint16)
    got = decoded(encoded(Image.fromarray(values)), channels=1)[0]
    assert np.array_equal(got, np.rint(values / 257).astype(np.uint8))


def test_a_dark_16_bit_image_stays_dark():
    dark = Image.fromarray(np.full((8, 8), 257, np.uint16))
    assert (decoded(encoded(dark), size=8, channels=1) == 1).all()


@pytest.mark.parametrize(("top", "dtype"), [(1.0, "f4"), (255.0, "f4"), (65535.0, "f4"), (1e6, "f4"), (65535, "i4")])
def test_the_range_of_32_bit_values_is_found(top, dtype):
    values = np.linspace(0, top, 64).reshape(8, 8).astype(dtype)
    got = decoded(encoded(Image.fromarray(values), "TIFF"), size=8, channels=1)
    assert np.abs(got[0] - np.linspace(0, 255, 64).reshape(8, 8)).max() <= 1


def test_values_that_are_not_finite_are_refused():
    values = np.full((8, 8), np.nan, np.float32)
    with pytest.raises(Undecodable, match="not finite"):
        decoded(encoded(Image.fromarray(values), "TIFF"))


def test_float_tiff_is_read_from_0_to_1():
    values = np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32)
    got = decoded(encoded(Image.fromarray(values), "TIFF"), channels=1)[0]
    assert np.array_equal(got, np.rint(values * 255).astype(np.uint8))


def test_cmyk_looks_as_rgb_does():
    cmyk = encoded(picture(0, mode="CMYK"), "JPEG", quality=95, subsampling=0)
    assert np.abs(decoded(cmyk).astype(int) - PIXELS).max() <= 12


def test_crop_keeps_the_centre_and_squash_keeps_all():
    stripes = np.zeros((32, 96, 3), np.uint8)
    stripes[:, 32:64] = 255
    content = encoded(Image.fromarray(stripes))
    assert (decoded(content, fit="crop") == 255).all()
    assert decoded(content, fit="squash")[:, :, [0, 16, 31]].mean(axis=(0, 1)).round().tolist() == [0, 255, 0]


def test_shrinking_is_antialiased():
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    got = decoded(encoded(Image.fromarray(checks)), channels=1).astype(int)
    assert np.abs(got - 127.5).max() < 8


def test_a_large_jpeg_decodes_as_it_does_in_full(monkeypatch):
    content = encoded(picture(3, (1024, 768)), "JPEG", quality=95)
    quick = decoded(content)
    monkeypatch.setattr(Image.Image, "draft", lambda *_: None)
    full = np.asarray(Image.open(io.BytesIO(content)).crop((128, 0, 896, 768)).resize((32, 32), 3)).transpose(2, 0, 1)
    assert np.abs(quick.astype(int) - full).max() <= 4


@pytest.mark.parametrize(("mode", "grey"), [("L", 1), ("1", 1), ("LA", 1), ("RGB", 0), ("P", 0), ("RGBA", 0)])
def test_grey_is_told_from_the_header(mode, grey):
    assert probe_image(encoded(picture(0, (20, 10)).convert(mode))) == (10, 20, grey)


def test_a_palette_of_greys_is_grey():
    assert probe_image(encoded(picture(0, mode="L").quantize(16)))[2] == 1


def test_signatures_tell_images_from_texts():
    images = [encoded(picture(0), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")]
    assert all(looks_like_image(content[:18]) for content in images)
    assert not any(looks_like_image(text) for text in (b"", b"BM is how this begins", b"RIFF1234WAVEfmt ", b"id,label"))


# -- folders ----------------------------------------------------------------------------------------------------


def test_a_folder_is_read_at_any_depth_in_the_order_of_its_ids(tmp_path):
    names = ["z.png", "a/b/c/deep.png", "a/1.png", ".hidden.png", ".git/x.png"]
    data = handful.read(write_pictures(tmp_path, names))
    assert data.ids.tolist() == ["a/1.png", "a/b/c/deep.png", "z.png"]
    assert data.samples.shape == (3, 3, 32, 32)
    assert data.samples.dtype == np.uint8
    assert np.array_equal(data.samples[[2]][0], PIXELS)
    assert data.settings == {"size": 32, "channels": 3, "fit": "crop"}


def test_content_counts_and_not_the_extension(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png"])
    (tmp_path / "no_extension").write_bytes(encoded(picture(2), "JPEG"))
    (tmp_path / "wrong.jpg").write_bytes(encoded(picture(3), "PNG"))
    (tmp_path / "notes.txt").write_text("not an image, and not meant to be one")
    data = handful.read(tmp_path)
    assert data.ids.tolist() == ["a.png", "b.png", "no_extension", "wrong.jpg"]
    assert not data.refused


def test_damaged_images_are_left_out_counted_and_named(tmp_path):
    write_pictures(tmp_path, [f"{n}.png" for n in range(5)])
    good = encoded(picture(9), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(good[: len(good) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("this is a text")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "gone.png")
    data = handful.read(tmp_path)
    assert data.ids.tolist() == [f"{n}.png" for n in range(5)]
    assert {r.id for r in data.refused} == {"cut.jpg", "empty.png", "text.png", "phone.heic", "dangling.png"}
    reasons = {r.id: r.reason for r in data.refused}
    assert "cannot be decoded" in reasons["cut.jpg"]
    assert "0 bytes" in reasons["empty.png"]
    with pytest.raises(InputError, match=r"5 of the 10 items .* cut\.jpg"):
        handful.read(tmp_path, strict=True)


def test_the_label_of_a_damaged_image_is_said_not_to_be_used(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png"])
    (tmp_path / "c.png").write_bytes(b"")
    data = handful.read(tmp_path, {"a.png": "x", "b.png": "y", "c.png": "z"})
    assert data.labels.classes.tolist() == ["x", "y"]
    assert data.labels.codes.tolist() == [0, 1]
    assert "'z' is not used" in data.refused[0].reason


@pytest.mark.parametrize("side", [11_000, 50_000])
def test_a_decompression_bomb_is_refused(tmp_path, side):
    write_pictures(tmp_path, ["a.png"])
    good = encoded(picture(0))
    header = b"IHDR" + struct.pack(">II", side, side) + good[24:29]
    (tmp_path / "bomb.png").write_bytes(good[:12] + header + struct.pack(">I", zlib.crc32(header)) + good[33:])
    data = handful.read(tmp_path)
    assert [r.id for r in data.refused] == ["bomb.png"]
    assert "more than 100,000,000" in data.refused[0].reason


def test_symlink_loops_end_and_each_folder_counts_where_it_lies(tmp_path):
    write_pictures(tmp_path, ["b/1.png", "c/2.png"])
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "a").symlink_to(tmp_path / "b")
    assert handful.read(tmp_path).ids.tolist() == ["b/1.png", "c/2.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are always text")
def test_a_file_name_that_is_no_text_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "SETTLED_NS", -(10**18))
    write_pictures(tmp_path, ["a.png"])
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))).write_bytes(encoded(picture(1)))
    for _ in range(2):
        assert handful.read(tmp_path).ids.tolist() == ["a.png", "caf\\udce9.png"]


def test_the_same_content_has_the_same_fingerprint_and_another_has_not(tmp_path):
    first = handful.read(write_pictures(tmp_path / "one", ["a.png", "b.png"]))
    again = handful.read(write_pictures(tmp_path / "two", ["a.png", "b.png"]))
    renamed = handful.read(write_pictures(tmp_path / "three", ["a.png", "c.png"]))
    changed = handful.read(write_pictures(tmp_path / "four", ["a.png", "b.png"], first_seed=1))
    smaller = handful.read(tmp_path / "one", size=16)
    assert first.fingerprint == again.fingerprint
    assert len({d.fingerprint for d in (first, renamed, changed, smaller)}) == 4
    assert first.digests.tolist() == renamed.digests.tolist()


def test_grey_images_have_one_channel_unless_one_is_colour(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png"], mode="L")
    assert handful.read(tmp_path).samples.shape[1] == 1
    write_pictures(tmp_path, ["c.png"])
    assert handful.read(tmp_path).samples.shape[1] == 3
    assert handful.read(tmp_path, channels=1).samples.shape[1] == 1


@pytest.mark.parametrize(
    ("sizes", "side"),
    [([(28, 28)] * 3, 28), ([(30, 30)] * 3, 30), ([(50, 70)] * 3, 48), ([(200, 300)], 64), ([(5, 9)], 8)],
)
def test_default_size_is_the_median_shorter_side_up_to_64(sizes, side):
    height, width = np.array(sizes).T
    assert default_size(height, width) == side


# -- arrays -----------------------------------------------------------------------------------------------------

BYTES = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)


def test_uint8_of_the_right_shape_is_used_as_it_lies(tmp_path):
    np.save(tmp_path / "x.npy", BYTES.transpose(0, 3, 1, 2))
    data = handful.read(tmp_path / "x.npy")
    assert isinstance(data.samples, np.memmap)
    assert data.samples.filename == tmp_path / "x.npy"
    assert data.ids.tolist() == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_layout_and_type_do_not_change_what_is_read(layout, dtype):
    array = BYTES if layout == "NHWC" else BYTES.transpose(0, 3, 1, 2)
    data = handful.read(array.astype(dtype))
    assert np.array_equal(data.samples[np.arange(6)], BYTES.transpose(0, 3, 1, 2))
    assert np.array_equal(data.samples[2:4], BYTES[2:4].transpose(0, 3, 1, 2))


def test_floats_from_0_to_1_are_stretched():
    data = handful.read(BYTES / 255)
    assert np.array_equal(data.samples[np.arange(6)], BYTES.transpose(0, 3, 1, 2))


def test_a_value_range_is_taken_as_black_and_white():
    digits = np.arange(17, dtype=np.float64).repeat(64).reshape(17, 8, 8)
    with pytest.raises(InputError, match=r"values from 0 to 16.*value_range=\(0, 16\)"):
        handful.read(digits)
    data = handful.read(digits, value_range=(0, 16))
    assert data.samples[[0, 8, 16]][:, 0, 0, 0].tolist() == [0, 128, 255]
    assert data.digests[0] != handful.read(digits, value_range=(0, 32)).digests[0]


def test_grey_arrays_are_a_view_with_one_channel():
    grey = BYTES[..., 0].copy()
    data = handful.read(grey)
    assert data.samples.shape == (6, 1, 12, 12)
    assert np.shares_memory(data.samples, grey)


def test_arrays_of_another_size_are_resized_into_the_store(cache):
    large = np.asarray([np.asarray(picture(seed, (80, 100))) for seed in range(3)])
    data = handful.read(large)
    assert data.samples.shape == (3, 3, 64, 64)
    assert str(data.samples.filename).startswith(str(cache))
    assert np.array_equal(data.samples[1], decoded(encoded(picture(1, (80, 100))), size=64))


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((9, 28, 28), "NHW"),
        ((9, 32, 32, 3), "NHWC"),
        ((9, 3, 32, 32), "NCHW"),
        ((9, 1, 28, 28), "NCHW"),
        ((9, 32, 32, 4), "NHWC"),
    ],
)
def test_the_axis_of_1_3_or_4_is_the_channels(shape, layout):
    assert find_layout(shape, "x") == layout


def test_two_axes_that_can_be_channels_need_a_layout():
    with pytest.raises(InputError, match="layout='NCHW' or layout='NHWC'"):
        find_layout((9, 3, 32, 3), "x")
    assert find_layout((9, 3, 32, 3), "x", "NHWC") == "NHWC"


@settings(deadline=None, max_examples=40)
@given(st.integers(5, 40), st.integers(5, 40), st.sampled_from([1, 3, 4]), st.sampled_from(["NHWC", "NCHW"]))
def test_layouts_without_doubt_are_always_found(height, width, channels, layout):
    order = np.argsort(LAYOUTS[layout])
    shape = tuple(np.array([7, channels, height, width])[order])
    assert find_layout(shape, "x") == layout


def test_16_bit_arrays_run_to_65535():
    assert find_value_range(0, 40_000, np.dtype(np.uint16), "x") == (0, 65535)
    assert find_value_range(0, 1, np.dtype(bool), "x") == (0, 1)


def test_bytes_go_there_and_back():
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_bytes(every / 255, (0, 1)), every)
    assert np.array_equal(to_bytes(every.astype(np.float32) / 128 - 1, (-1, 127 / 128)), every)


def test_a_fourth_channel_is_transparency_on_white():
    images = np.zeros((1, 4, 2, 2), np.uint8)
    assert (with_channels(images, 3) == 255).all()
    images[:, 3] = 255
    assert (with_channels(images, 3) == 0).all()
    assert with_channels(images, 1).shape == (1, 1, 2, 2)


def test_a_single_row_and_a_mask_can_be_read():
    data = handful.read(BYTES / 255)
    assert data.samples[3].shape == (3, 12, 12)
    assert data.samples[np.arange(6) % 2 == 0].shape == (3, 3, 12, 12)
    assert data.samples.shape == (len(data.samples), 3, 12, 12)


# -- npz, IDX ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_finds_the_images_and_their_labels(tmp_path, save):
    save(tmp_path / "x.npz", images=BYTES, labels=np.array([0, 1, 2, 0, 1, -1]))
    data = handful.read(tmp_path / "x.npz", "source")
    assert np.array_equal(data.samples[np.arange(6)], BYTES.transpose(0, 3, 1, 2))
    assert data.labels.codes.tolist() == [0, 1, 2, 0, 1, -1]
    assert handful.read(tmp_path / "x.npz").labels is None


def test_npz_with_parts_needs_a_name(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=BYTES, y_train=np.arange(6), x_test=BYTES[:2], y_test=np.arange(2))
    with pytest.raises(InputError, match=r"'x_train'.*choose one"):
        handful.read(tmp_path / "mnist.npz")
    data = handful.read(tmp_path / "mnist.npz", "source", column="x_test")
    assert data.labels.codes.tolist() == [0, 1]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_brings_the_labels_beside_it_when_asked(tmp_path, suffix):
    grey, labels = BYTES[..., 0].copy(), np.array([3, 1, 3, 1, 3, 1], np.uint8)
    images = write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", grey)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", labels)
    data = handful.read(images, "source")
    assert np.array_equal(data.samples[np.arange(6)][:, 0], grey)
    assert data.labels.classes[data.labels.codes].tolist() == labels.tolist()
    assert handful.read(images, tmp_path / f"train-labels-idx1-ubyte{suffix}").labels.codes.tolist() == [1, 0] * 3
    assert handful.read(images).labels is None


def test_a_folder_or_prefix_of_idx_files_is_one_set(tmp_path):
    grey = BYTES[..., 0].copy()
    for part, rows in (("t10k", slice(4, 6)), ("train", slice(0, 4))):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", grey[rows])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", np.arange(6, dtype=np.uint8)[rows])
    data = handful.read(tmp_path, "source")
    assert np.array_equal(data.samples[np.arange(6)][:, 0], grey)
    assert data.ids.tolist() == ["train/0", "train/1", "train/2", "train/3", "t10k/0", "t10k/1"]
    assert data.labels.codes.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(handful.read(tmp_path / "t10k")) == 2


# -- tables and lists -------------------------------------------------------------------------------------------


def test_csv_with_paths_relative_to_it(tmp_path):
    write_pictures(tmp_path / "images", ["a.png", "b.png", "c.png"])
    (tmp_path / "list.csv").write_text("image,kind\nimages/a.png,x\nimages/b.png,y\nimages/c.png,\n")
    data = handful.read(tmp_path / "list.csv", label_column="kind")
    assert data.ids.tolist() == ["images/a.png", "images/b.png", "images/c.png"]
    assert data.labels.decode(data.labels.codes).tolist() == ["x", "y", None]


def test_csv_row_without_a_file_is_refused(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png"])
    (tmp_path / "list.csv").write_text("path\na.png\nb.png\nnowhere.png\n")
    assert [r.id for r in handful.read(tmp_path / "list.csv").refused] == ["nowhere.png"]


@pytest.mark.parametrize("row_group_size", [2, 100])
def test_parquet_with_a_column_of_bytes(tmp_path, row_group_size):
    contents = [encoded(picture(seed)) for seed in range(5)]
    table = pa.table({"picture": contents, "label": ["x", "y", None, "x", "y"]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=row_group_size)
    data = handful.read(tmp_path / "t.parquet", "source")
    assert data.ids.tolist() == ["0", "1", "2", "3", "4"]
    assert np.array_equal(data.samples[0], PIXELS)
    assert data.labels.codes.tolist() == [0, 1, -1, 0, 1]


def test_parquet_with_structs_of_bytes_and_path(tmp_path):
    write_pictures(tmp_path, ["outside.png"], first_seed=2)
    cells = [{"bytes": encoded(picture(s)), "path": f"{s}.png"} for s in range(2)]
    cells += [{"bytes": None, "path": "outside.png"}, {"bytes": b"", "path": "none.png"}]
    pq.write_table(pa.table({"image": cells}), tmp_path / "t.parquet")
    data = handful.read(tmp_path / "t.parquet")
    assert data.ids.tolist() == ["0.png", "1.png", "outside.png"]
    assert np.array_equal(data.samples[2], decoded(encoded(picture(2))))
    assert [r.id for r in data.refused] == ["none.png"]


def test_a_folder_of_parquet_shards_is_one_table(tmp_path):
    (tmp_path / "data").mkdir()
    for shard in range(2):
        table = pa.table({"image": [{"bytes": encoded(picture(2 * shard + n)), "path": None} for n in range(2)]})
        pq.write_table(table, tmp_path / "data" / f"train-0000{shard}-of-00002.parquet")
    data = handful.read(tmp_path)
    assert np.array_equal(data.samples[3], decoded(encoded(picture(3))))


def test_data_frames_are_tables(tmp_path):
    pandas = pytest.importorskip("pandas")
    write_pictures(tmp_path, ["a.png", "b.png"])
    frame = pandas.DataFrame({"path": [str(tmp_path / "a.png"), str(tmp_path / "b.png")], "label": ["x", "y"]})
    data = handful.read(frame, "source")
    assert data.labels.codes.tolist() == [0, 1]
    arrow = handful.read(pa.Table.from_pandas(frame))
    assert arrow.fingerprint == data.fingerprint


def test_lists_of_paths_bytes_pictures_and_arrays_read_the_same(tmp_path):
    write_pictures(tmp_path, ["0.png", "1.png"])
    paths = [tmp_path / "0.png", str(tmp_path / "1.png")]
    contents = [encoded(picture(seed)) for seed in range(2)]
    lists = [paths, contents, [picture(0), picture(1)], [np.asarray(picture(0)), np.asarray(picture(1))]]
    lists.append([paths[0], contents[1]])
    lists.append([contents[0], picture(1)])
    for source in lists:
        assert np.array_equal(handful.read(source).samples[0], PIXELS)
        assert len(handful.read(source)) == 2


def test_arrays_of_several_sizes_share_one_range_of_values():
    data = handful.read([np.zeros((20, 30)), np.full((40, 10, 3), 0.5), np.ones((12, 12))], size=16)
    assert data.samples.shape == (3, 3, 16, 16)
    assert data.samples[:, 0, 0, 0].tolist() == [0, 128, 255]


def test_what_a_list_cannot_hold_is_refused(tmp_path):
    data = handful.read([encoded(picture(0)), None, {"a": 1}, b"text"])
    assert [r.id for r in data.refused] == ["1", "2", "3"]
