"""Each loss against the formula of its paper written slowly, an invariance and a limit."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from handful.encoders import ConvolutionalEncoder
from handful.methods import METHODS
from handful.methods.contrastive import (
    MoCo,
    SIGReg,
    VICReg,
    epps_pulley,
    info_nce,
    nt_xent,
    off_diagonal_covariance,
    random_directions,
    spread_hinge,
)
from handful.modalities.image import Image


def _rows(n: int = 6, width: int = 5, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _small(method: str, **options: float) -> torch.nn.Module:
    torch.manual_seed(0)
    return METHODS[method](ConvolutionalEncoder(1, widths=(4, 8)), Image(size=8, channels=1), **options)


def _images(n: int = 8) -> torch.Tensor:
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(5))


def _slow_nt_xent(first: torch.Tensor, second: torch.Tensor, temperature: float) -> float:
    rows = [*first, *second]
    n, total = len(first), 0.0
    for i, row in enumerate(rows):
        partner = rows[(i + n) % (2 * n)]
        others = sum(math.exp(_cosine(row, other) / temperature) for k, other in enumerate(rows) if k != i)
        total -= math.log(math.exp(_cosine(row, partner) / temperature) / others)
    return total / (2 * n)


def _cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(one @ other / (one.norm() * other.norm()))


def test_nt_xent_equals_equation_1_of_simclr() -> None:
    first, second = _rows(seed=1), _rows(seed=2)
    assert float(nt_xent(first, second, temperature=0.3)) == pytest.approx(_slow_nt_xent(first, second, 0.3), rel=1e-5)


def test_nt_xent_knows_neither_order_nor_length_nor_which_view_is_first() -> None:
    first, second = _rows(seed=1), _rows(seed=2)
    loss = nt_xent(first, second, temperature=0.3)
    order = torch.randperm(len(first), generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(nt_xent(first[order], second[order], temperature=0.3), loss)
    torch.testing.assert_close(nt_xent(second, 7 * first, temperature=0.3), loss)


def test_nt_xent_is_zero_when_pairs_agree_and_others_are_opposite_and_log_of_the_others_when_all_agree() -> None:
    apart = torch.eye(4)
    assert float(nt_xent(apart, apart, temperature=0.01)) == pytest.approx(0, abs=1e-6)
    alike = torch.ones(4, 4)
    assert float(nt_xent(alike, alike, temperature=0.2)) == pytest.approx(math.log(2 * 4 - 1))


def test_info_nce_equals_algorithm_1_of_moco_v3() -> None:
    queries, keys, temperature = _rows(seed=1), _rows(seed=2), 0.3
    total = 0.0
    for i, query in enumerate(queries):
        odds = [math.exp(_cosine(query, key) / temperature) for key in keys]
        total -= math.log(odds[i] / sum(odds)) / len(queries)
    assert float(info_nce(queries, keys, temperature=temperature)) == pytest.approx(2 * temperature * total, rel=1e-5)


def test_info_nce_of_equal_keys_is_the_log_of_their_number() -> None:
    loss = info_nce(_rows(), torch.ones(6, 5), temperature=0.5)
    assert float(loss) == pytest.approx(math.log(6))


def test_mocos_teacher_takes_one_hundredth_of_the_student_at_first_and_nothing_at_the_end() -> None:
    method = _small("moco", momentum=0.99)
    before = [parameter.clone() for parameter in method.teacher.parameters()]
    with torch.no_grad():
        for parameter in method.backbone.parameters():
            parameter.add_(1.0)
    method.after_step(1.0)
    assert all(torch.equal(old, new) for old, new in zip(before, method.teacher.parameters(), strict=True))
    method.after_step(0.0)
    torch.testing.assert_close(method.teacher[0].stem.weight, before[0] + 0.01)


def test_mocos_teacher_gets_no_gradient() -> None:
    method = _small("moco")
    assert isinstance(method, MoCo)
    method(_images(), torch.Generator().manual_seed(0)).total.backward()
    assert all(parameter.grad is None for parameter in method.teacher.parameters())


def test_vicreg_terms_equal_equations_1_and_4_of_the_paper() -> None:
    rows = _rows(7, 4)
    n, width = rows.shape
    mean = rows.sum(0) / n
    hinge, apart = 0.0, 0.0
    for i in range(width):
        variance = sum(float(row[i] - mean[i]) ** 2 for row in rows) / (n - 1)
        hinge += max(0.0, 1 - math.sqrt(variance + 1e-4)) / width
        for j in range(width):
            covariance = sum(float((row[i] - mean[i]) * (row[j] - mean[j])) for row in rows) / (n - 1)
            apart += covariance**2 / width if i != j else 0.0
    assert float(spread_hinge(rows)) == pytest.approx(hinge)
    assert float(off_diagonal_covariance(rows)) == pytest.approx(apart)


def test_vicreg_terms_do_not_move_with_the_mean_and_see_a_collapse() -> None:
    rows = _rows(7, 4)
    torch.testing.assert_close(spread_hinge(rows + 3), spread_hinge(rows))
    torch.testing.assert_close(off_diagonal_covariance(rows + 3), off_diagonal_covariance(rows))
    assert float(spread_hinge(torch.ones(7, 4))) == pytest.approx(0.99)


def test_vicregs_total_is_its_weighted_parts() -> None:
    method = _small("vicreg")
    assert isinstance(method, VICReg)
    loss = method(_images(), torch.Generator().manual_seed(0))
    parts = {name: float(part) for name, part in loss.parts.items()}
    weighted = 25 * parts["invariance"] + 25 * parts["variance"] + parts["covariance"]
    assert loss.total.item() == pytest.approx(weighted, rel=1e-5)


def test_epps_pulley_equals_the_integral_of_the_characteristic_functions_distance() -> None:
    column = _rows(9, 1)
    total, width = 0.0, 0.01
    for step in range(-500, 501):
        t = step * width
        empirical = sum(complex(math.cos(t * float(x)), math.sin(t * float(x))) for x in column[:, 0]) / len(column)
        normal = math.exp(-t * t / 2)
        total += abs(empirical - normal) ** 2 * normal * width
    assert float(epps_pulley(column)[0]) == pytest.approx(len(column) * total, rel=1e-3)


def test_epps_pulley_knows_neither_order_nor_sign() -> None:
    columns = _rows(9, 3)
    torch.testing.assert_close(epps_pulley(-columns.flip(0)), epps_pulley(columns))


def test_epps_pulley_of_normal_samples_is_its_known_mean_and_of_a_constant_grows_with_their_number() -> None:
    normal, constant = _rows(512, 512), torch.zeros(512, 8, dtype=torch.float64)
    expected = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))  # the integral of (1 - exp(-t^2)) exp(-t^2 / 2)
    assert float(epps_pulley(normal).mean()) == pytest.approx(expected, rel=0.1)
    assert float(epps_pulley(constant)[0]) > 100 * expected
    torch.testing.assert_close(epps_pulley(constant)[0], 2 * epps_pulley(constant[:256])[0])


def test_sigregs_total_shares_out_its_one_knob() -> None:
    method = _small("sigreg", normality=0.25)
    assert isinstance(method, SIGReg)
    loss = method(_images(), torch.Generator().manual_seed(0))
    expected = 0.75 * loss.parts["prediction"] + 0.25 * loss.parts["normality"]
    torch.testing.assert_close(loss.total.detach(), expected)


def test_sigregs_prediction_is_the_distance_to_the_mean_of_the_views() -> None:
    method = _small("sigreg").eval()
    generator = torch.Generator().manual_seed(0)
    views = torch.stack([method.modality.view(_images(), generator=generator) for _ in range(2)])
    vectors = torch.stack([method.projector(method.backbone(view).pooled) for view in views])
    expected = (vectors - vectors.mean(0)).square().mean()
    loss = method(_images(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(loss.parts["prediction"], expected.detach())


def test_random_directions_have_length_one() -> None:
    axes = random_directions(5, 7, like=_rows(), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(axes.norm(dim=0), torch.ones(7, dtype=torch.float64))
    assert axes.shape == (5, 7)


@pytest.mark.parametrize("method", ["simclr", "vicreg", "sigreg"])
def test_a_contrastive_loss_of_views_that_differ_is_above_that_of_equal_views(method: str) -> None:
    made = _small(method)
    differing = made(_images(), torch.Generator().manual_seed(0)).total
    made.modality.crop, made.modality.colour, made.modality.flip = 1.0, 0.0, False
    assert made(_images(), torch.Generator().manual_seed(0)).total.item() < differing.item()


def test_nt_xents_gradient_pulls_partners_together() -> None:
    first, second = _rows(seed=1).requires_grad_(), _rows(seed=2)
    before = F.cosine_similarity(first, second).mean().item()
    nt_xent(first, second, temperature=0.5).backward()
    assert F.cosine_similarity(first - first.grad, second).mean().item() > before
