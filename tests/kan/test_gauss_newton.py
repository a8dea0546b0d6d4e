"""The quadratic model: its gradient is autograd's, its matrix is Gauss and Newton's."""

import pytest
import torch

from skdyn._tabular import TabularRegressor
from skdyn.kan import KANClassifier, KANRegressor, _gauss_newton
from skdyn.kan._constraints import edge_rules
from skdyn.kan._evidence import Evidence
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective

LOSSES = {
    "squares": (TabularRegressor._row_loss, KANRegressor._curvature),
    "cross-entropy": (KANClassifier._row_loss, KANClassifier._curvature),
}


def problem(kind, sizes=((2, 0), (1, 1), (2, 0)), lamb=0.0, smoothness=0.0, alpha=0.0):
    module = KAN(sizes, "bspline", 3, 3, "linear").double()
    X = torch.randn(20, 2, dtype=torch.float64)
    targets = {"squares": torch.randn(20, 2, dtype=torch.float64),
               "cross-entropy": torch.randint(2, (20,))}  # fmt: skip
    weight = torch.rand(20, dtype=torch.float64)
    evidence = Evidence(smoothness, alpha, 20.0, None)
    objective = KANObjective(*LOSSES[kind], evidence, lamb, 1.0, 2.0)
    module.adapt(X)
    module.layers[0].mask[0, 1] = 0
    return objective.problem(module, (X, targets[kind], weight))


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    "penalties", [{}, {"smoothness": 0.3}, {"alpha": 0.2}, {"lamb": 0.1}], ids=str
)
def test_the_gradient_is_that_of_autograd(kind, penalties):
    made = problem(kind, **penalties)
    loss, gradient, _ = made.expand()
    torch.testing.assert_close(loss, made.loss())
    learnt = [weight for layer in made.module.layers for weight in layer.linear_weights()]
    squares = sum(weight.square().sum() for weight in learnt)
    whole = made.objective(made.module, made.X, made.y, made.row_weight)
    (whole + 0.5 * made.objective.evidence.alpha * squares).backward()
    expected = torch.cat([weight.grad.flatten() for weight in learnt])
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("penalties", [{}, {"smoothness": 0.3}, {"alpha": 0.2}, {"lamb": 0.1}])
def test_by_steps_of_edges_that_rise_the_gradient_is_that_of_autograd(penalties):
    made = problem("squares", ((2, 0), (3, 0), (2, 0)), **penalties)
    for layer, rule in zip(made.module.layers, edge_rules(((2, 0), (3, 0), (2, 0)), (1, 0))):
        layer.constrain(rule.allowed, rule.sign)
    made = made.objective.problem(made.module, (made.X, made.y, made.row_weight))
    loss, gradient, _ = made.expand()
    torch.testing.assert_close(loss, made.loss())
    layers = made.module.layers
    curves = [w for layer in layers for w in (layer.carried(), layer.bias)]
    whole = made.objective(made.module, made.X, made.y, made.row_weight)
    whole = whole + 0.5 * made.objective.evidence.alpha * sum(w.square().sum() for w in curves)
    whole.backward()
    learnt = [w for layer in layers for w in layer.linear_weights()]
    expected = torch.cat([weight.grad.flatten() for weight in learnt])
    # Of a step at its bound autograd knows one side only; silu has no part in edges that rise.
    inside = made.weights() > made.lower()
    torch.testing.assert_close(gradient[inside], expected[inside])
    assert inside.sum() > 50


def test_rows_taken_in_turn_give_the_same_model(monkeypatch):
    made = problem("squares", lamb=0.1, smoothness=0.3, alpha=0.2)
    whole = made.expand()
    monkeypatch.setattr(_gauss_newton, "_CHUNK", 7 * 2 * made.n_weights)  # 7 of 20 rows
    for part, expected in zip(made.expand(), whole, strict=True):
        torch.testing.assert_close(part, expected)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_matrix_is_the_hessian_where_outputs_are_linear_in_the_weights(kind):
    made = problem(kind, sizes=((2, 0), (2, 0)), smoothness=0.3, alpha=0.2)
    _, _, curvature = made.expand()
    learnt = made.module.layers[0].linear_weights()

    def whole(vector):
        parts = vector.split([weight.numel() for weight in learnt])
        weight, bias = (p.view_as(w) for p, w in zip(parts, learnt, strict=True))
        evidence, layer = made.objective.evidence, made.module.layers[0]
        weight = weight * layer.mask[:, None]
        outputs = torch.einsum("nik,iko->no", layer.basis.features(made.X), weight) + bias
        loss = (made.objective.row_loss(outputs, made.y) * made.row_weight).mean()
        bent = weight[:, :-1]
        bending = torch.einsum("ikj,ikl,ilj->", bent, layer.basis.roughness(), bent)
        return loss + evidence.smoothness * bending + 0.5 * evidence.alpha * vector.square().sum()

    at = made.weights()
    torch.testing.assert_close(curvature, torch.autograd.functional.hessian(whole, at))


def test_the_sparsity_penalty_is_majorised():
    made = problem("squares", lamb=0.5)
    _, gradient, curvature = made.expand()
    assert torch.linalg.eigvalsh(curvature).min() > -1e-10
    for scale in (1e-3, 1e-2):
        start, before = made.weights(), made.loss()
        made.place(start - scale * gradient)
        assert made.loss() < before
        made.place(start)


def test_columns_that_are_cut_take_no_part():
    made = problem("squares", smoothness=0.3, alpha=0.2)
    layer = made.module.layers[0]
    layer.mask[1] = 0
    layer.weight.data[1] = 0
    less = made.objective.problem(made.module, (made.X, made.y, made.row_weight))
    assert less.n_weights == made.n_weights - layer.weight[1].numel()
    weights = less.weights()
    less.place(2 * weights)
    torch.testing.assert_close(less.weights(), 2 * weights)
    assert not layer.weight[1].any()


def test_many_weights_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"up to 5000 weights.*'adam'"):
        problem("squares", sizes=((2, 0), (200, 0), (5, 0)))


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("kind", LOSSES)
def test_the_bend_is_the_second_derivative_along_a_move(kind, n_outputs):
    made = problem(kind)
    if n_outputs == 1 and kind == "squares":  # of whose rows one matrix holds all
        made = problem(kind, sizes=((2, 0), (1, 1), (1, 0)))
        made.y = made.y[:, :1]
    outputs, _, _ = made.data_part()
    start = made.weights()
    move = 1e-3 * torch.randn(len(start), dtype=torch.float64)
    _, jacobian = made.jacobian(made.X)
    found = made.bend(move)

    def outputs_at(weights):
        made.place(weights)
        return made.module(made.X).detach()

    ends = [outputs_at(start + sign * 1e-2 * move) for sign in (1, -1)]
    second = (sum(ends) - 2 * outputs) / 1e-4
    _, root = made.objective.curvature(outputs, made.y)
    share = made.row_weight / 20
    expected = torch.einsum("nop,noc,nqc,nq,n->p", jacobian, root, root, second, share)
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2 * expected.abs().max())
