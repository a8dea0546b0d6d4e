"""From a fitted network to a formula: closed forms of edges, one by one or all, and the whole."""

import copy
from typing import Any

import numpy as np
import torch
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state

from skdyn._tabular import FitTask
from skdyn._time_limit import time_is_over
from skdyn._validation import check_is_fitted, check_weights, validate_data
from skdyn.exceptions import warn_user
from skdyn.kan._constants import evaluate, tidy_constants
from skdyn.kan._edge_fit import FLOOR, fit_edge
from skdyn.kan._evidence import Evidence
from skdyn.kan._formula import LayerFormula, Scales, Unnamed, network_formula
from skdyn.kan._found_laws import (
    LawHunt,
    forget_laws,
    keep_laws,
    law_formulas,
    names_of,
    split_rows,
    warn_of_doubts,
)
from skdyn.kan._law_network import network_of
from skdyn.kan._library import make_library
from skdyn.kan._objective import KANObjective
from skdyn.kan._posterior import forget_posterior
from skdyn.kan._snapping import set_edge, snap_edges, squared_error

_N_DRAWS = 1000  # where a network is to teach its formula without data
_MINOR = 0.03  # score below which an edge may be nothing: as in prune
_CLASSIFIER_ERROR = 0.1  # in the scores, in their variances
_KNOWN = 0.1  # what an edge is off by, in units of what the whole network is
_MISSED = 0.2  # of the tolerance: share of the rows that closed forms may cost a classifier
_PRECISE = 1e-6  # loss that is as good as none, in variances of the targets


def suggest(model, layer, i, j, library):
    """Return the functions of a library, the best first for an edge."""
    functions = make_library(library)
    check_is_fitted(model)
    model.module_.check_edge(layer, i, j)
    x = model._node_quantiles[layer][:, i]
    values = model.edge_function(layer, i, j, x)
    return fit_edge(x, values, functions, floor=_floor(_unlearnt(model)))


def name_edge(model, layer, i, j, name):
    """Give one edge a closed form, in place."""
    (candidate,) = suggest(model, layer, i, j, [name])
    module = copy.deepcopy(model.module_)
    set_edge(module.layers[layer], i, j, candidate)
    _take_over(model, module)


def name_edges(model, X, y, sample_weight, library, tolerance, verbose=False):
    """Give all edges closed forms, in place: those of a law that stands out, or one by one."""
    functions = make_library(library)
    lesson = _lesson(model, X, y, sample_weight)
    standard = _Standard(model, lesson, tolerance)
    hunt, laws = _hunt(model, X, y, sample_weight, library, verbose)
    if laws and not any(each[0].doubt for each in laws if each) and _take_laws(
        model, laws, hunt, standard.accepts_law
    ):  # fmt: skip
        _look_back(model, lesson)
        return
    minor = [scores < _MINOR for scores in model.edge_scores_]
    module = copy.deepcopy(model.module_).cpu().double()
    floor = _floor(standard.error)
    module = snap_edges(module, standard.objective, standard.batch, functions,
                        standard.accepts, minor, floor)  # fmt: skip
    complete = not any(layer.mask.any() for layer in module.layers)
    _take_over(model, module)
    if hunt is not None and laws:
        laws = _with_the_networks(model, hunt, laws) if complete else laws
        # A law that costs too much is no answer where edges were left as they are, but is where
        # the network, in closed form, does no better for its length.
        if _take_laws(model, laws, hunt, standard.accepts_law if not complete else None):
            warn_of_doubts(model)
        else:
            if all(laws):
                keep_laws(model, laws, hunt.symbols, hunt.X, taken=False)
            _tell_what_stays(model, tolerance)
    else:
        _tell_what_stays(model, tolerance)
    if X is not None:
        _look_back(model, lesson)


class _Standard:
    """What closed forms are held to: the loss of the network before them."""

    def __init__(self, model, lesson, tolerance):
        arrays, self._losses, error = lesson
        self._n, self._noise, self._classes = len(arrays[0]), model._noise, _has_classes(model)
        batch = [torch.as_tensor(array) for array in arrays]
        self.batch = [part.double() if part.is_floating_point() else part for part in batch]
        module = copy.deepcopy(model.module_).cpu().double()
        outputs, now = self._outcome(module)
        self.error = now + error
        self.allowed = now + max(tolerance * self.error, _PRECISE)
        self._allowed_of_laws = self.allowed * self._n / (self._n - min(_free(module), self._n / 2))
        self._share = self._right(outputs) - _MISSED * tolerance

    def objective(self):
        evidence = Evidence("auto", "auto", self._n, self._noise)
        row_loss, curvature = self._losses
        return KANObjective(row_loss, curvature, evidence, 0.0, 1.0, 1.0)

    def accepts_law(self, module):
        """Tell whether a law costs no more than what weights can have learned of the noise."""
        return self._outcome(module)[1] <= self._allowed_of_laws

    def accepts(self, module, loss=None):
        outputs, now = self._outcome(module)
        loss = now if loss is None else loss
        return loss <= self.allowed and self._right(outputs) >= self._share

    @torch.no_grad()
    def _outcome(self, module):
        X, y, weight = self.batch
        outputs = module(X)
        return outputs, (self._losses[0](outputs, y) * weight).mean().item()

    def _right(self, outputs):
        return _share_right(self._classes, outputs, *self.batch[1:])


def _free(module):
    """Return the number of weights that edges without a closed form have."""
    return sum(int(layer.mask.sum()) * layer.weight.shape[1] for layer in module.layers)


def _hunt(model, X, y, sample_weight, library, verbose):
    """Look for laws where there are data of a regressor."""
    if y is None or _has_classes(model):
        return None, None
    X, y = model._validate(X, y, reset=False)
    weight = check_weights(sample_weight, X)
    weight = np.ones(len(X)) if weight is None else weight
    hunt = LawHunt(model, X, y, weight, library, verbose)
    return hunt, hunt.run()


def _take_laws(model, laws, hunt, accepts):
    """Make a network compute the best laws, where it does as well as it must."""
    if not all(laws):
        return False
    best = [each[0].expression for each in laws]
    module = network_of(best, hunt.symbols, _scales(model), model.module_)
    if accepts is not None and not accepts(module):
        return False
    _take_over(model, module)
    if not isinstance(model.hidden_layer_sizes, str):
        sizes = module.plan["layer_sizes"][1:-1]
        model.hidden_layer_sizes = tuple(pair if pair[1] else pair[0] for pair in sizes)
    keep_laws(model, laws, hunt.symbols, hunt.X, taken=True)
    return True


def _with_the_networks(model, hunt, laws):
    """Return laws with the formulas of the network's own edges among them."""
    import sympy

    columns = {sympy.Symbol(name, real=True): own
               for name, own in zip(names_of(model), hunt.symbols, strict=True)}  # fmt: skip
    own = network_formula(_layer_formulas(model.module_), names_of(model), _scales(model))
    return [hunt.judged(k, [form.xreplace(columns)]) for k, form in enumerate(own)]


def _look_back(model, lesson):
    arrays = lesson[0]
    model._look_back(FitTask(arrays, None, len(arrays[0]), False, True))


def formula_of(model, X, y, sample_weight, partial=False):
    """Return the formula of a network, or the list of those of its outputs."""
    names = names_of(model)
    expressions = law_formulas(model, names)
    if expressions is None:
        layers = _layer_formulas(model.module_, partial)
        expressions = network_formula(layers, names, _scales(model))
    warn_of_doubts(model)
    if _has_classes(model) and len(expressions) == 2:
        expressions = [expressions[1] - expressions[0]]
    if X is not None and not any(layer.mask.any() for layer in model.module_.layers):
        expressions = _fitted_to(model, expressions, X, y, sample_weight)
    single = len(expressions) == 1 and (_has_classes(model) or model._y_is_1d)
    return expressions[0] if single else expressions


def in_latex(formula: Any, digits: int) -> str | list[str]:
    """Write a formula, or a list of them, with short constants."""
    import sympy

    several = isinstance(formula, list)
    short = [
        form.xreplace({number: number.n(digits) for number in form.atoms(sympy.Float)})
        for form in (formula if several else [formula])
    ]
    written = [sympy.latex(form) for form in short]
    return written if several else written[0]


def _share_right(classes, outputs, y, weight):
    """Return the share of rows that get their class; of a regressor the loss says all."""
    if not classes:
        return 1.0
    label = y if y.ndim == 1 else y.argmax(dim=1)  # without labels, the network's own
    return ((outputs.argmax(dim=1) == label) * weight).mean().item()


def _tell_what_stays(model, tolerance):
    module = model.module_
    left = [(depth, *edge) for depth, layer in enumerate(module.layers)
            for edge in layer.mask.nonzero().tolist()]  # fmt: skip
    if left:
        warn_user(
            f"auto_symbolic left {len(left)} edges as they were, the first of layer "
            f"{left[0][0]}, i={left[0][1]}, j={left[0][2]}: every function of the library "
            f"would have cost more than tolerance={tolerance} allows. Raise it, or enlarge "
            "the library; formula(partial=True) writes the rest. " + _nearest(model),
            UserWarning,
        )


def _nearest(model):
    if time_is_over():
        return "The time was over before all were tried."
    return "symbolic_report_ has the nearest formulas." if hasattr(model, "_laws") else ""


def _unlearnt(model):
    """Return what the network's outputs are off by, in variances."""
    return _CLASSIFIER_ERROR if _has_classes(model) else model.best_loss_


def _take_over(model, module):
    like = next(model.module_.parameters())
    model.module_ = module.to(like.device, like.dtype).requires_grad_(False).eval()
    model._module_config = module.config()
    for name in ("formula_score_", "formula_unreal_"):
        vars(model).pop(name, None)
    forget_posterior(model)
    forget_laws(model)


def _lesson(model, X, y, sample_weight):
    """Return arrays to learn from, a loss with its curvature, and the error in the targets."""
    if y is None:
        X = _draws(model) if X is None else model._scaled(
            validate_data(model, X, reset=False, dtype=[np.float64, np.float32])
        )  # fmt: skip
        y = model._forward(X.astype(np.float64))
        losses = squared_error(y.var() or 1.0)
        error = _unlearnt(model)
    else:
        X, y = model._validate(X, y, reset=False)
        X, y = model._scaled(X), model._encode_targets(y)
        losses, error = (model._row_loss, model._curvature), 0.0
    weight = check_weights(sample_weight, X)
    weight = np.ones(len(X)) if weight is None else weight / weight.mean()
    return (X, y, weight), losses, error


def _draws(model):
    """Draw inputs, in standard units, each from its own distribution."""
    quantiles = model._node_quantiles[0]
    levels = check_random_state(model.random_state).uniform(0, 1, (_N_DRAWS, quantiles.shape[1]))
    places = np.linspace(0, 1, len(quantiles))
    pairs = zip(levels.T, quantiles.T, strict=True)
    return np.stack([np.interp(level, places, values) for level, values in pairs], axis=1)


def _fitted_to(model, expressions, X, y, sample_weight):
    """Return formulas with a regressor's constants fitted to data; note how good they are."""
    X, y = model._validate(X, y, reset=False)
    weight = check_weights(sample_weight, X)
    weight = np.ones(len(X)) if weight is None else weight
    if _has_classes(model):
        _score_formula(model, _values(model, expressions, X), y, weight)
        return expressions
    y, names = y.reshape(len(X), -1), names_of(model)
    fitted, tested = split_rows(model, len(X))
    expressions = [
        tidy_constants(expression, names, X[fitted], y[fitted, k], weight[fitted])
        for k, expression in enumerate(expressions)
    ]
    _score_formula(model, _values(model, expressions, X), y, weight, tested)
    return expressions


def _values(model, expressions, X):
    return np.stack([evaluate(form, names_of(model), X) for form in expressions], axis=1)


def _score_formula(model, values, y, weight, tested: Any = slice(None)):
    """Keep the score of a formula on some rows, and at how many of all it is not real."""
    real = np.isfinite(values).all(axis=1)
    model.formula_unreal_ = int((~real).sum())
    if model.formula_unreal_:
        warn_user(
            f"The formula is not real at {model.formula_unreal_} of {len(real)} rows: where an "
            "argument leaves the domain of its function. Fit and name the network on data "
            "that reach as far, or ask for nothing beyond.",
            UserWarning,
        )
    y, values, real, weight = (part[tested] for part in (y, values, real, weight))
    if _has_classes(model):
        if values.shape[1] == 1:
            values = np.hstack([np.zeros_like(values), values])
        right = real & (model.classes_[values.argmax(axis=1)] == y)
        model.formula_score_ = float(np.average(right, weights=weight))
        return
    model.formula_score_ = (
        float(r2_score(y[real], values[real], sample_weight=weight[real]))
        if real.sum() > 1 else float("nan")
    )  # fmt: skip


def _has_classes(model):
    return hasattr(model, "classes_")


def _scales(model):
    n_outputs = model._n_outputs()
    y_offset = getattr(model, "_y_offset", np.zeros(n_outputs))
    y_scale = getattr(model, "_y_scale", np.ones(n_outputs))
    if hasattr(model, "_y_moves"):  # a target that is constant is known exactly
        y_scale = np.where(model._y_moves, y_scale, 0.0)
    return Scales(model._x_offset, model._x_scale, y_offset, y_scale)


def _layer_formulas(module, partial=False):
    layers = []
    for depth, layer in enumerate(copy.deepcopy(module).cpu().double().layers):
        numeric = layer.mask.nonzero().tolist()
        if numeric and not partial:
            raise ValueError(
                f"{len(numeric)} edges of layer {depth} have no closed form yet, the first "
                f"i={numeric[0][0]}, j={numeric[0][1]}. Call auto_symbolic, with a higher "
                "tolerance or a larger library if it left them, or fix_symbolic for each; "
                "partial=True leaves them as functions without a name."
            )
        edges = {
            tuple(map(int, place.split("_"))): (edge.name, *edge.affine.tolist())
            for place, edge in layer.symbolic.items()
        }
        edges |= {(i, j): (Unnamed(f"phi_{depth}_{i}_{j}"), 1.0, 0.0, 1.0, 0.0)
                  for i, j in numeric}  # fmt: skip
        layers.append(LayerFormula(edges, tuple(layer.bias.tolist()), layer.n_sum, layer.n_mult))
    return layers


def _floor(error):
    return max(FLOOR, _KNOWN * error)
