"""Edges that choose their basis."""

import pytest
import torch

from skdyn.kan.bases import SPACES, BSpline, Fourier, Selectable, make_basis


def trained(targets, n_steps=300):
    """A basis and weights after a short training on several targets, and the points of it."""
    x = torch.rand(300, 1) * 2 - 1
    y = torch.stack([target(x[:, 0]) for target in targets], dim=1)
    y = (y - y.mean(dim=0)) / y.std(dim=0)
    basis = make_basis("selectable", 1, len(targets), 5, 3, "linear")
    basis.adapt(x)
    first = 0.1 * basis.initial_scale * torch.randn(1, basis.n_functions + 1, len(targets))
    weight, bias = first.requires_grad_(), torch.zeros(len(targets), requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias, *basis.parameters()], lr=0.02)
    for _ in range(n_steps):
        optimizer.zero_grad()
        (basis.combine(x, weight) + bias - y).square().mean().backward()
        optimizer.step()
    return basis, weight.detach(), x


def small(n_out=3, dtype=torch.float64):
    basis = Selectable(2, n_out, [BSpline(2, 4), Fourier(2, 5)]).to(dtype)
    with torch.no_grad():
        basis.logits.normal_()
    return basis, torch.randn(2, 13, n_out, dtype=dtype)


def test_an_edge_is_the_gated_sum_of_its_spaces():
    basis, weight = small()
    x = 3 * torch.randn(20, 2, dtype=torch.float64)
    gate = basis.logits.softmax(dim=1)
    expected = torch.nn.functional.silu(x) @ weight[:, -1]
    for s, (space, part) in enumerate(
        zip(basis.spaces, weight[:, :-1].split([7, 5], dim=1), strict=True)
    ):
        share = basis.scales[s] * gate[:, s]
        expected = expected + torch.einsum("nik,ikj,ij->nj", space(x), part, share)
    assert torch.allclose(basis.combine(x, weight), expected)


def test_gradients_are_right_for_points_weights_and_gates():
    basis, weight = small()
    x = 2 * torch.randn(4, 2, dtype=torch.float64)

    def combine(x, weight, logits):
        return torch.nn.functional.linear(
            basis.features(x).flatten(1),
            torch.func.functional_call(Effective(basis), {"basis.logits": logits}, (weight,))
            .flatten(0, 1)
            .T,
        )

    inputs = (x.requires_grad_(), weight.requires_grad_(), basis.logits.detach().requires_grad_())
    assert torch.allclose(combine(*inputs), basis.combine(x, weight))
    assert torch.autograd.gradcheck(combine, inputs)


class Effective(torch.nn.Module):
    def __init__(self, basis):
        super().__init__()
        self.basis = basis

    def forward(self, weight):
        return self.basis.effective(weight)


def test_every_space_starts_with_the_same_share():
    gates = make_basis("selectable", 2, 3, 5, 3, "linear").gates()
    assert torch.allclose(gates, torch.full((2, len(SPACES), 3), 1 / len(SPACES)))


def test_a_sine_chooses_waves_and_a_spike_wavelets():
    targets = [lambda x: torch.sin(8 * x), lambda x: torch.exp(-((x / 0.08) ** 2))]
    basis, weight, _ = trained(targets)
    basis.select(weight)
    assert list(basis.choices()[0]) == ["fourier", "wavelet"]


def test_choosing_changes_edges_as_little_as_one_space_can():
    basis, weight, x = trained([lambda x: torch.sin(8 * x), lambda x: x**3 - x])
    before, at_points = basis(basis.mesh().float()), basis.combine(x, weight)
    edges = (before[:, 0] @ basis.effective(weight)[0, :-1]).double()
    changes = []
    for space in basis.spaces:
        functions = space(basis.mesh().float())[:, 0].double()
        nearest = functions @ torch.linalg.lstsq(functions, edges).solution
        changes.append((nearest - edges).square().mean(dim=0))
    selected = basis.select(weight)
    after = before[:, 0] @ basis.effective(selected)[0, :-1]
    least = torch.stack(changes).min(dim=0).values.float()
    assert torch.allclose((after - edges).square().mean(dim=0).float(), least, rtol=0.01)
    assert (basis.combine(x, selected) - at_points).square().mean().sqrt() < 0.05


def test_an_edge_that_uses_one_space_is_the_same_after_choosing_it():
    basis, weight = small()
    weight[:, 7:-1] = 0.0  # splines alone
    x = torch.randn(20, 2, dtype=torch.float64)
    before = basis.combine(x, weight)
    selected = basis.select(weight)
    assert (basis.choices() == "bspline").all()
    assert torch.allclose(basis.combine(x, selected), before, atol=1e-10)
    assert torch.equal(selected[:, -1], weight[:, -1])


def test_after_the_choice_other_weights_are_zero_and_stay_so():
    basis, weight = small()
    selected = basis.select(weight).requires_grad_()
    gates = basis.gates()
    assert set(gates.unique().tolist()) == {0.0, 1.0}
    assert (gates.sum(dim=1) == 1).all()
    left_out = torch.cat([gates[:, :1].expand(-1, 7, -1), gates[:, 1:].expand(-1, 5, -1)], 1) == 0
    assert (selected[:, :-1][left_out] == 0).all()
    basis.combine(torch.randn(9, 2).double(), selected).square().sum().backward()
    assert (selected.grad[:, :-1][left_out] == 0).all()
    assert (selected.grad[:, :-1][~left_out] != 0).any()


def test_before_the_choice_the_largest_gate_leads():
    basis, _ = small(n_out=1)
    with torch.no_grad():
        basis.logits.copy_(torch.tensor([[[1.0], [0.0]], [[0.0], [1.0]]]))
    assert basis.choices().tolist() == [["bspline"], ["fourier"]]
    assert (basis.chosen == -1).all()


@pytest.mark.parametrize("choose", [False, True])
def test_a_finer_basis_takes_over_edges_gates_and_choices(choose):
    basis = make_basis("selectable", 2, 3, 4, 3, "linear").double()
    with torch.no_grad():
        basis.logits.normal_()
    basis.adapt(torch.randn(50, 2, dtype=torch.float64))
    weight = torch.randn(2, basis.n_functions + 1, 3, dtype=torch.float64)
    weight = basis.select(weight) if choose else weight
    finer = basis.refined(9)
    taken = torch.cat([finer.hand_over(basis, weight), weight[:, -1:]], dim=1)
    assert torch.equal(finer.gates(), basis.gates())
    x = 2 * torch.randn(30, 2, dtype=torch.float64)
    assert torch.allclose(finer.combine(x, taken), basis.combine(x, weight), atol=1e-8)


def test_all_spaces_move_with_the_data():
    basis = make_basis("selectable", 1, 1, 5, 3, "linear")
    basis.adapt(torch.linspace(4, 9, 50)[:, None])
    for space in basis.spaces:
        assert torch.equal(space.low, basis.low)
        assert torch.equal(space.high, basis.high)
    assert basis.low.item() < 4 < 9 < basis.high.item()


def test_edges_can_be_fitted_to_values():
    basis = Selectable(2, 3, [BSpline(2, 4), Fourier(2, 14)]).double()
    x = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None].expand(-1, 2)
    values = torch.stack([x, 2 * x, 0.5 + 0 * x], dim=2)
    weight = torch.cat([basis.fit(x, values), torch.zeros(2, 1, 3)], dim=1)
    found = torch.einsum("nik,ikj->nij", basis.features(x), basis.effective(weight))
    assert torch.allclose(found, values, atol=1e-3)


def test_a_copy_of_the_state_is_the_same_basis():
    basis, weight = small()
    weight = basis.select(weight)
    twin = Selectable(2, 3, [BSpline(2, 4), Fourier(2, 5)]).double()
    twin.load_state_dict(basis.state_dict())
    x = torch.randn(9, 2, dtype=torch.float64)
    assert torch.equal(twin.combine(x, weight), basis.combine(x, weight))
    assert (twin.choices() == basis.choices()).all()


def test_extreme_points_give_finite_numbers():
    basis, weight = small(dtype=torch.float32)
    assert basis.combine(torch.tensor([[-1e30, 1e30]]), weight).isfinite().all()
