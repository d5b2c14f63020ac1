"""The kind of data `table`: scales, views, parts, and what networks are given of each column."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy import toy_tables

import handful
from handful import InputError
from handful.modalities.registry import make_modality
from handful.modalities.table import Table
from handful.modalities.table_reading import TableRows
from handful.modalities.table_scaling import codes_of, fit_scales, scales_from_json, scales_to_json


def loaded(n: int = 96) -> tuple[Table, TableRows]:
    data = toy_tables(n)
    return make_modality("table", data.settings).adapt(data.samples), data.samples


def test_quantiles_are_even_and_of_unit_spread() -> None:
    cells = np.random.default_rng(0).lognormal(0, 2, (4000, 1))
    scale = fit_scales(cells, ["number"])[0]
    ranks = scale.ranked(cells[:, 0])
    assert ranks.std() == pytest.approx(1, abs=0.02)
    assert np.corrcoef(np.argsort(np.argsort(cells[:, 0])), ranks)[0, 1] > 0.999
    assert scale.ranked(np.array([np.nan])) == 0
    assert np.abs(scale.ranked(np.array([-1e9, 1e9]))).max() <= np.sqrt(3) + 1e-9


def test_a_value_that_stands_often_gets_the_middle_of_its_quantiles() -> None:
    cells = np.concatenate([np.zeros(50), np.arange(1, 51)])[:, None]
    scale = fit_scales(cells, ["number"])[0]
    assert scale.ranked(np.array([0.0]))[0] == pytest.approx((0.25 * 2 - 1) * np.sqrt(3), abs=0.06)


def test_one_wild_value_leaves_the_others_apart() -> None:
    cells = np.random.default_rng(0).normal(size=(1000, 1))
    cells[0] = 1e12
    scale = fit_scales(cells, ["number"])[0]
    assert scale.scaled(cells[1:, 0]).std() == pytest.approx(1, abs=0.1)
    assert scale.scaled(cells[:1, 0]) == 5


def test_frequent_categories_are_equally_far_apart_and_new_ones_have_a_code() -> None:
    codes = np.arange(1.0, 40.0)
    scale = fit_scales(np.repeat(codes, np.arange(40, 1, -1))[:, None], ["category"])[0]
    products = codes_of(codes[:15], scale) @ codes_of(codes[:15], scale).T
    np.testing.assert_array_equal(products, 16 * np.eye(15))
    new = codes_of(np.array([2.0**47 + 12345, np.nan]), scale)
    assert set(np.unique(new[0])) <= {-1, 1}
    assert not new[1].any()
    assert scale.rarity(np.array([1.0, 39.0, 777.0])).tolist() == sorted(scale.rarity(np.array([1.0, 39.0, 777.0])))


def test_a_view_takes_cells_from_other_rows_of_the_same_column() -> None:
    modality, rows = loaded()
    batch = modality.batch(rows, np.arange(96))
    view = modality.view(batch, generator=torch.Generator().manual_seed(0))
    changed = (view["values"] != batch["values"]).any(2)
    assert 0.25 < changed.float().mean() < 0.45
    for place in range(modality.parts):
        known = {tuple(cell) for cell in batch["values"][:, place].tolist()}
        assert {tuple(cell) for cell in view["values"][:, place].tolist()} <= known


def test_every_part_counts_alike_in_a_reconstruction() -> None:
    modality, rows = loaded(400)
    tokens = modality.tokens(modality.batch(rows, np.arange(400)))
    error = modality.token_kind.mismatch(torch.zeros_like(tokens.values), tokens.values)
    by_column = (error * tokens.present).sum(0) / tokens.present.sum(0)
    assert by_column.min() > 0.85
    assert by_column.max() < 1.15


def test_missing_cells_are_no_parts_and_are_told_in_the_vector() -> None:
    modality, rows = loaded()
    batch = modality.batch(rows, np.arange(96))
    assert np.array_equal(batch["present"].numpy(), ~np.isnan(rows.values))
    gaps = np.isnan(rows.values)
    told = modality.flat(batch).numpy()[:, -int(gaps.any(0).sum()) :]
    assert np.array_equal(told == 1, gaps[:, gaps.any(0)])


def test_scales_come_back_from_json() -> None:
    modality, _ = loaded()
    assert scales_from_json(scales_to_json(modality.scales)) == modality.scales
    again = make_modality("table", modality.settings, assets=modality.assets)
    assert again.scales == modality.scales
    with pytest.raises(InputError, match="no scale yet"):
        _ = make_modality("table", modality.settings).scales


def test_an_encoder_comes_back_from_its_folder(tmp_path) -> None:
    data = toy_tables()
    encoder = handful.pretrain(data, "autoencoder", epochs=1, out=tmp_path / "encoder")
    again = handful.Encoder.from_pretrained(tmp_path / "encoder")
    np.testing.assert_allclose(again.embed(data).vectors, encoder.embed(data).vectors, atol=1e-5)


def test_a_row_is_shown_with_its_names_escaped() -> None:
    rows = TableRows(np.array([[1.5, 7.0], [np.nan, 8.0]]), (("<a>", "number"), ("b", "category")), {"b": {7.0: "<i>"}})
    shown = make_modality("table", {"columns": rows.columns}).show(rows, np.arange(2))
    assert shown[0] == "<table><tr><td>&lt;a&gt;</td><td>1.5</td></tr><tr><td>b</td><td>&lt;i&gt;</td></tr></table>"
    assert "<td></td>" in shown[1]
