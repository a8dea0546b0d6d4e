"""The constants of a formula: fitted anew to data, then named where the data agree with a name."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import least_squares

from skdyn.formulas import nice_numbers
from skdyn.kan._program import Program

_EXACT = 1e-9  # RMSE, in standard deviations of y, that is rounding and no misfit
_TOL, _N_STEPS = 1e-15, 200  # of the least squares
_IDLE = 1e-7  # singular value, relative, of a direction that changes nothing
_ROUNDING = 1e-11
_UNLIKELY = 0.03  # to be so near to a nice number by chance
# Operations of the longest formula that sympy simplifies in reasonable time, with and without
# floats, and the largest n in sin(n x) for which it expands that.
_SIMPLIFY_FLOATS, _SIMPLIFY, _LARGEST_MULTIPLE = 20, 80, 4


def evaluate(expression, names, X):
    """Evaluate a formula.

    Parameters
    ----------
    expression : sympy.Expr
        A formula of real symbols.
    names : list of str
        Names of the columns.
    X : ndarray of shape (n, n_features)
        Values of the columns.

    Returns
    -------
    ndarray of shape (n,)
        NaN where the formula is not real.
    """
    expression, own = _with_own_symbols(expression, names)
    return evaluated(expression, list(own), X)


def evaluated(expression, columns, X):
    """Evaluate a formula of dummy symbols: see :func:`evaluate`."""
    return Program(expression, columns, floats=False)(_columns(X)).numpy()


def refit_constants(expression, names, X, y, sample_weight=None):
    """Fit the floats of a formula to data by least squares.

    Parameters
    ----------
    expression : sympy.Expr
        A formula of real symbols.
    names : list of str
        Names of the columns.
    X : ndarray of shape (n, n_features)
        Values of the columns. Rows at which the formula is not real take no part.
    y : ndarray of shape (n,)
        Targets.
    sample_weight : ndarray of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    sympy.Expr
        The formula with other floats: never a worse fit than before.

    Raises
    ------
    ValueError
        If the formula is real at no row.
    """
    expression, own = _with_own_symbols(expression, names)
    problem = ConstantFit(expression, list(own), X, y, sample_weight)
    return problem.expression(problem.fit(problem.start, {}), {}).xreplace(own)


def tidy_constants(expression, names, X, y, sample_weight=None):
    """Give constants their names, ``0``, ``2/3``, ``pi`` ..., where the data allow, and simplify.

    A float becomes a nice number if by chance it would hardly be so near to one, and if the other
    floats, fitted anew, leave no more unexplained than noise does.

    Parameters
    ----------
    expression, names, X, y, sample_weight
        As for :func:`refit_constants`.

    Returns
    -------
    sympy.Expr
        The formula, its other floats fitted anew.

    Raises
    ------
    ValueError
        If the formula is real at no row.
    """
    expression, own = _with_own_symbols(expression, names)
    return tidied(expression, list(own), X, y, sample_weight).xreplace(own)


def tidied(expression, columns, X, y, sample_weight=None):
    """Give constants their names: :func:`tidy_constants` for a formula of dummy symbols."""
    problem = ConstantFit(expression, columns, X, y, sample_weight)
    fit, named, refused = problem.fit(problem.start, {}), {}, set()
    noise = max(fit.loss / max(len(problem.y) - len(fit.values), 1), _EXACT**2)
    reference = max(fit.loss, len(problem.y) * _EXACT**2)
    while (proposal := problem.likeliest_name(fit.values, named, refused, noise)) is not None:
        trial = problem.fit(fit.values, {**named, **proposal})
        n_named = len(named) + 1
        # What naming costs where it is right follows a chi-square distribution.
        if trial.loss <= reference + noise * (n_named + 3 * math.sqrt(2 * n_named) + 4):
            fit, named = trial, {**named, **proposal}
        else:
            refused |= set(proposal.items())
    return _whole(_simplified(problem.expression(fit, named), columns, X))


def _whole(expression):
    """Write floats that are whole numbers, up to rounding, as these; powers of 1/z as one."""
    import sympy

    whole = {number: sympy.Integer(round(number)) for number in expression.atoms(sympy.Float)
             if abs(number - round(number)) < _ROUNDING * max(1.0, abs(number))}  # fmt: skip
    return expression.xreplace(whole).replace(
        lambda form: form.is_Pow and form.base.is_Pow and form.base.exp == -1,
        lambda form: form.base.base**-form.exp,  # where both are real, they are the same
    )


def _with_own_symbols(expression, names):
    """Replace columns by symbols that are no names: a column may well be called sin or pi.

    Returns
    -------
    expression : sympy.Expr
    own : dict of sympy.Dummy to sympy.Symbol
        The symbols, in the order of the columns, and what each stands for.
    """
    import sympy

    columns = [sympy.Symbol(name, real=True) for name in names]
    own = {sympy.Dummy(f"column{k}", real=True): column for k, column in enumerate(columns)}
    return expression.xreplace({column: symbol for symbol, column in own.items()}), own


class _Fit(NamedTuple):
    values: np.ndarray
    loss: float  # sum of squared errors, in variances of y


class ConstantFit:
    """Least squares for the floats of a formula."""

    def __init__(self, expression, columns, X, y, sample_weight):
        self._function = Program(expression, columns)
        self.start = np.array(self._function.start)
        columns = _columns(X)
        real = self._function([*columns, *torch.from_numpy(self.start)]).isfinite()
        if not real.any():
            raise ValueError(
                f"the formula {expression} is real at none of the {len(X)} rows. Fit it to rows "
                "within the range of the training data."
            )
        self._columns = [column[real] for column in columns]
        y = np.asarray(y, dtype=float)[real]
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        weight = weight[real] / weight[real].mean()
        spread = np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)
        # A constant target has no unit of its own.
        self._root = torch.from_numpy(np.sqrt(weight / (spread or 1.0)))
        self.y = torch.from_numpy(y)

    def expression(self, fit, named):
        """Return the formula with its constants."""
        import sympy

        return self._function.expression(
            named[k] if k in named else sympy.Float(value) for k, value in enumerate(fit.values)
        )

    def fit(self, values, named, n_steps=_N_STEPS, tol=_TOL):
        """Fit the constants without a name, starting from values of all of them."""
        values = values.copy()
        values[list(named)] = [float(number) for number in named.values()]
        free = np.setdiff1d(np.arange(len(values)), list(named))

        def put(x):
            full = values.copy()
            full[free] = x
            return full

        def slopes(x) -> Any:
            return self.jacobian(put(x))[:, free]

        by_slopes: Any = slopes

        first: Any = self._errors(values)
        if not np.isfinite(first).all():
            return _Fit(values, math.inf)
        fit = _Fit(values, first @ first)
        if len(free):
            found = least_squares(
                lambda x: self._errors(put(x)), values[free],
                jac=by_slopes,
                x_scale="jac", ftol=tol, xtol=tol, gtol=tol, max_nfev=n_steps,
            )  # fmt: skip
            fit = min(fit, _Fit(put(found.x), 2 * found.cost), key=lambda fit: fit.loss)
        return fit

    @torch.no_grad()
    def _errors(self, values):
        prediction = self._function([*self._columns, *torch.from_numpy(values)])
        return (self._root * (prediction - self.y)).numpy()

    def jacobian(self, values):
        # Constants of their own for each row: one backward pass gives all rows' derivatives.
        constants = torch.from_numpy(values)[:, None].repeat(1, len(self.y)).requires_grad_()
        with torch.enable_grad():
            prediction = self._function([*self._columns, *constants])
            (slope,) = torch.autograd.grad((self._root * prediction).sum(), constants)
        return slope.nan_to_num().T.numpy()

    def likeliest_name(self, values, named, refused, noise):
        """Return the constant that is the least likely to be near a nice number by chance.

        Returns
        -------
        dict of int to sympy number, or None
            None where no constant is worth a try.
        """
        import sympy

        free = [k for k in range(len(values)) if k not in named]
        if not free:
            return None
        best, least = None, _UNLIKELY
        for k, error in zip(free, self._standard_errors(values, free, noise), strict=True):
            tolerance = 4 * error + _EXACT * abs(values[k])
            numbers = nice_numbers(values[k], tolerance)
            if error > 10 * abs(values[k]):  # another constant can stand in for it
                numbers = [(sympy.Integer(n), least / 2) for n in (0, 1)]
            for number, chance in numbers:
                if (k, number) not in refused and chance < least:
                    best, least = {k: number}, chance
        return best

    def idle(self, values):
        """Return a constant that others can stand in for, and all where it is one, or None.

        What stands in is a factor here for a factor there: logarithms move along a line.
        """
        if len(values) < 2:
            return None
        jacobian = self.jacobian(values)
        size = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
        _, s, vt = np.linalg.svd(jacobian / size, full_matrices=False)
        if s[-1] > _IDLE * s[0]:
            return None
        k, along = int(np.argmax(np.abs(vt[-1]))), vt[-1] / size / np.where(values, values, 1.0)
        distance = -np.log(abs(values[k])) / along[k] if values[k] else 0.0
        return k, values * np.exp(np.clip(distance * along, -50, 50))

    def _standard_errors(self, values, free, noise):
        jacobian = self.jacobian(values)[:, free]
        size = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
        _, s, vt = np.linalg.svd(jacobian / size, full_matrices=False)
        s = np.maximum(s, 1e-12)
        return np.sqrt(noise * ((vt / s[:, None]) ** 2).sum(axis=0)) / size


def _columns(X):
    return list(torch.from_numpy(np.array(X, dtype=float).T.copy()))


def _simplified(expression, columns, X):
    """Return the shortest of what sympy makes of a formula, within reason."""
    import sympy

    # sympy takes logarithms of what is positive apart and together as it likes.
    plain = [sympy.Dummy(f"plain{k}", real=True) for k in range(len(columns))]
    there, back = (
        dict(zip(pair[0], pair[1], strict=True)) for pair in ((columns, plain), (plain, columns))
    )
    expression, columns = expression.xreplace(there), plain
    floats = bool(expression.atoms(sympy.Float))
    if sympy.count_ops(expression) > (_SIMPLIFY_FLOATS if floats else _SIMPLIFY):
        return expression.xreplace(back)
    forms = [expression]
    if not floats and _largest_multiple(expression) <= _LARGEST_MULTIPLE:
        forms.append(sympy.expand(expression, trig=True))
    values = lambda form: Program(form, columns, floats=False)(_columns(X)).numpy()  # noqa: E731
    wanted, best = values(expression), expression
    for form in map(sympy.simplify, forms):
        same = np.allclose(values(form), wanted, rtol=1e-8, equal_nan=True)
        if same and _length(form) < _length(best):
            best = form
    return best.xreplace(back)


def _largest_multiple(expression):
    """Return the largest whole number inside a function: sin(n x) expands to n terms."""
    import sympy

    inside = [number for form in expression.atoms(sympy.Function)
              for number in form.atoms(sympy.Integer)]  # fmt: skip
    return max(map(abs, inside), default=0)


def _length(expression):
    import sympy

    return sympy.count_ops(expression), len(expression.atoms(sympy.Function))
