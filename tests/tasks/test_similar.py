"""Items like this one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from toy import toy_images

from handful.errors import InputError
from handful.tasks import similar
from handful.training import Embeddings


def _embeddings() -> Embeddings:
    vectors = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [-1, 0, 0], [1, 0, 0]], dtype=np.float32)
    return Embeddings(np.array(["a", "b", "c", "d", "e"]), vectors, {"wide": slice(0, 2), "rest": slice(2, 3)})


def test_the_most_alike_come_first_without_the_query() -> None:
    found = similar(_embeddings(), "a", 3)
    assert found.ids.tolist() == ["e", "b", "c"]
    assert np.allclose(found.likeness, [1, 0.8, 0], atol=1e-6)
    assert found.query == "a"


def test_a_vector_is_a_query_of_any_length() -> None:
    found = similar(_embeddings(), np.array([0, 5, 0]), 2)
    assert found.ids.tolist() == ["c", "b"]
    assert found.query is None


def test_what_holds_embeddings_can_be_asked() -> None:
    class Holder:
        embeddings = _embeddings()

    assert similar(Holder(), "c", 1).ids.tolist() == ["b"]


def test_no_more_come_than_there_are_others() -> None:
    assert len(similar(_embeddings(), "a", 99).ids) == 4


def test_the_answer_equals_sorting_all_cosines() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(300, 8)).astype(np.float32)
    embeddings = Embeddings(np.array([str(row) for row in range(300)]), vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = [str(row) for row in np.argsort(-(unit @ unit[17]))[1:11]]
    assert similar(embeddings, "17").ids.tolist() == expected


def test_a_block_is_compared_alone() -> None:
    assert similar(_embeddings(), "c", 1, block="wide").ids.tolist() == ["b"]
    with pytest.raises(InputError, match="'narrow' is not a block"):
        similar(_embeddings(), "c", 1, block="narrow")


def test_each_block_counts_what_it_counts_in_a_graph() -> None:
    draw = np.random.default_rng(0)
    sides = [draw.normal(size=(50, width)).astype(np.float32) for width in (3, 5)]
    sides = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    blocks = {"shapes": slice(0, 3), "pixels": slice(3, 8)}
    ids, vectors = np.arange(50).astype(str), np.concatenate(sides, 1)
    found = similar(Embeddings(ids, vectors, blocks, {"pixels": 0.25}), "7", 10)
    expected = (sides[0] @ sides[0][7] + 0.25 * sides[1] @ sides[1][7]) / 1.25
    assert found.ids.tolist() == ids[np.argsort(-expected)[1:11]].tolist()
    assert np.allclose(found.likeness, np.sort(expected)[::-1][1:11], atol=1e-6)
    alike = (sides[0] @ sides[0][7] + sides[1] @ sides[1][7]) / 2
    assert similar(Embeddings(ids, vectors, blocks), "7", 10).ids.tolist() == ids[np.argsort(-alike)[1:11]].tolist()


def test_an_unknown_id_a_vector_of_another_width_and_one_of_zeros_are_refused() -> None:
    embeddings = Embeddings(np.array(["cat/17.jpg", "dog/3.jpg"]), np.eye(2, dtype=np.float32))
    with pytest.raises(
        InputError, match=r"'17\.jpg' is neither the id of an item nor a file.*Did you mean 'cat/17\.jpg'"
    ):
        similar(embeddings, "17.jpg")
    with pytest.raises(InputError, match=r"a query of shape \(3,\) is not one of these vectors, which are \(2,\)"):
        similar(embeddings, np.ones(3))
    with pytest.raises(InputError, match="must be finite and not all zero"):
        similar(embeddings, np.zeros(2))
    with pytest.raises(InputError, match="n must be a number of at least 1"):
        similar(embeddings, "cat/17.jpg", 0)


def test_a_run_folder_and_a_new_file_can_be_asked(tmp_path) -> None:
    import handful

    for row, pixels in enumerate(toy_images(30).samples):
        Image.fromarray(np.moveaxis(pixels, 0, -1)).save(tmp_path / f"{row}.png")
    labels = {"0.png": "flat", "1.png": "upright"}
    run = handful.label(tmp_path, labels, out=tmp_path / "run", method="untrained")
    assert similar(run.folder, "3.png", 4).ids.tolist() == similar(run, "3.png", 4).ids.tolist()
    new = similar(run, tmp_path / "3.png", 5)
    assert new.ids[0] == "3.png"
    assert new.likeness[0] == pytest.approx(1, abs=1e-3)
    assert similar(run, tmp_path / "3.png", 1, block="pca").ids[0] == "3.png"


def test_a_new_clip_is_compared_with_those_of_a_run(tmp_path) -> None:
    import handful
    from handful.modalities.video_files import write_video

    for row in range(12):
        frames = np.full((10, 3, 16, 16), 40, np.uint8)
        frames[:, :, row : row + 4] = 220
        write_video(frames, tmp_path / "clips" / f"{row:02}.mp4")
    run = handful.label(
        tmp_path / "clips", {"00.mp4": "top", "11.mp4": "bottom"}, out=tmp_path / "run", size=16, window=4
    )
    assert similar(run, tmp_path / "clips" / "03.mp4", 3).ids[0] == "03.mp4"
