"""Fitting one edge: exact where the edge is exact, simple where it is simple."""

import numpy as np
import pytest
import torch

from skdyn.kan._edge_fit import fit_edge
from skdyn.kan._library import DEFAULT_LIBRARY, make_library

# Of the constant, every fit is exact; |x| has a kink, where a search by slopes may stick.
SMOOTH = [name for name in DEFAULT_LIBRARY if name not in ("0", "abs")]


def edge(name, seed, n=200):
    """Points and values of ``c f(a x + b) + d`` with random constants, inside f's domain."""
    rng = np.random.default_rng(seed)
    x = rng.normal() + rng.uniform(-1, 1, n) * 10 ** rng.uniform(-1, 1)
    (function,) = make_library(name)
    low, high = np.clip(function.domain, -1.5, 4)
    ends = low + (high - low) * np.sort([rng.uniform(0.02, 0.3), rng.uniform(0.6, 0.95)])
    ends = ends[:: rng.choice([-1, 1])]
    u = np.interp(x, [x.min(), x.max()], ends)
    c, d = rng.normal(size=2) * 3
    return x, c * function(torch.from_numpy(u)).numpy() + d


@pytest.mark.parametrize("name", SMOOTH)
def test_random_constants_of_every_function_are_found_to_rounding(name):
    library = make_library(name)
    for seed in range(3):
        x, y = edge(name, seed)
        ((_, a, b, c, d, r2, _),) = fit_edge(x, y, library)
        assert 1 - r2 < 1e-12
        found = c * library[0](torch.from_numpy(a * x + b)).numpy() + d
        np.testing.assert_allclose(found, y, atol=1e-5 * np.ptp(y))


@pytest.mark.parametrize("name", SMOOTH)
def test_an_exact_edge_is_called_by_its_name(name):
    x, y = edge(name, 3)
    assert fit_edge(x, y, make_library())[0].name == name


@pytest.mark.parametrize("error", [0, 1e-6, 1e-4])
def test_a_straight_edge_is_called_straight_though_it_wiggles_a_little(error):
    x = np.linspace(-2, 3, 200)
    y = 2 - 3 * x + error * np.sin(3 * x) + error * x**2
    assert fit_edge(x, y, make_library())[0].name == "x"


def test_domains_hold_on_negative_data_by_moving_them():
    x = np.linspace(-3, -1, 100)
    for name in ("log", "sqrt", "1/x"):
        (candidate,) = fit_edge(x, np.exp(x), make_library(name))
        assert (candidate.a * x + candidate.b >= 0).all()
        assert 0 < candidate.r2 <= 1


def test_a_point_of_weight_two_counts_as_two_points():
    x, y = edge("sin", 0, n=30)
    y = y + np.random.default_rng(1).normal(size=30)
    weight = np.arange(30) % 3
    once = fit_edge(x, y, make_library("tanh"), weight)[0]
    twice = fit_edge(x.repeat(weight), y.repeat(weight), make_library("tanh"))[0]
    assert once.r2 == pytest.approx(twice.r2, rel=1e-6)


def test_a_constant_edge_is_called_constant():
    best = fit_edge(np.arange(5.0), np.full(5, 2.5), make_library())[0]
    assert (best.name, best.c, best.d, best.r2) == ("0", 0.0, 2.5, 1.0)


def test_an_edge_at_one_point_is_explained_by_no_function():
    found = fit_edge(np.ones(5), np.arange(5.0), make_library(["x", "log"]))
    assert [(f.c, f.d, f.r2) for f in found] == [(0.0, 2.0, 0.0)] * 2


@pytest.mark.parametrize("y", [[1.0, np.nan], [1.0, np.inf], []])
def test_edges_that_are_not_finite_are_refused(y):
    with pytest.raises(ValueError, match="finite points with finite values"):
        fit_edge(np.arange(float(len(y))), y, make_library())
