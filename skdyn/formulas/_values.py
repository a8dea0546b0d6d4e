"""Formulas evaluated: one compiled text for numpy and for torch."""

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from skdyn.formulas._functions import CONSTANTS, functions_for
from skdyn.formulas._reader import read

if TYPE_CHECKING:
    import torch

__all__ = ["compiled", "on_arrays", "on_tensors"]


@lru_cache(maxsize=4096)
def compiled(
    text: str, names: tuple[str, ...], functions: tuple[str, ...] = (), backend: str = "numpy"
) -> Callable:
    """Compile a formula to a function of its variables, followed by its own functions.

    Numbers in it stay numbers: a formula without variables gives one.
    """
    own = {name: f"v{i}" for i, name in enumerate(names)}
    own |= {(name,): f"f{i}" for i, name in enumerate(functions)}  # a variable may have that name
    arguments = [ast.arg(name) for name in own.values()]
    body = _with_arguments(read(text, names, functions), own)
    taken = ast.arguments([], arguments, None, [], [], None, [])
    tree = ast.Expression(ast.Lambda(taken, body))
    code = compile(ast.fix_missing_locations(tree), "<formula>", "eval")
    return eval(code, {"__builtins__": {}, **functions_for(backend), **CONSTANTS})


def _with_arguments(node, names):
    """Copy a tree, with variables and functions under names that Python can have."""
    match node:
        case ast.Name():
            return ast.Name(names.get(node.id, node.id), ast.Load())
        case ast.UnaryOp():
            return ast.UnaryOp(node.op, _with_arguments(node.operand, names))
        case ast.BinOp():
            left = _with_arguments(node.left, names)
            return ast.BinOp(left, node.op, _with_arguments(node.right, names))
        case ast.Call(func=ast.Name(id=name)):
            function = ast.Name(names.get((name,), name), ast.Load())
            return ast.Call(function, [_with_arguments(each, names) for each in node.args], [])
    return ast.Constant(node.value)


def on_arrays(
    formula: Any, values: Mapping[str, Any], functions: Mapping[str, Callable] | None = None
) -> np.ndarray:
    """Evaluate a formula with numpy.

    Parameters
    ----------
    formula : str or sympy.Expr
        The formula.
    values : dict of str to array-like
        Values of its variables.
    functions : dict of str to callable, default=None
        Functions that it calls beside those of the table.

    Returns
    -------
    ndarray
        Of the values' common shape; not finite where the formula has no real value.

    Raises
    ------
    ValueError
        If the formula is none of these variables.

    Examples
    --------
    >>> from skdyn.formulas import on_arrays
    >>> on_arrays("2 x^2 + ln(y)", {"x": [1.0, 2.0], "y": 1.0})
    array([2., 8.])
    """
    arrays = [np.asarray(value, dtype=float) for value in values.values()]
    with np.errstate(all="ignore"):
        value = _evaluate(formula, tuple(values), arrays, functions, "numpy")
    return np.array(np.broadcast_to(value, np.broadcast_shapes(*(a.shape for a in arrays))))


def on_tensors(
    formula: Any,
    values: "Mapping[str, torch.Tensor]",
    functions: Mapping[str, Callable] | None = None,
) -> "torch.Tensor":
    """Evaluate a formula with torch; gradients flow through it.

    Parameters
    ----------
    formula : str or sympy.Expr
        The formula.
    values : dict of str to Tensor
        Values of its variables.
    functions : dict of str to callable, default=None
        Functions that it calls beside those of the table.

    Returns
    -------
    Tensor
        Of the values' common shape and dtype; not finite where the formula has no real value.

    Raises
    ------
    ValueError
        If the formula is none of these variables.

    Examples
    --------
    >>> import torch
    >>> from skdyn.formulas import on_tensors
    >>> on_tensors("x^2", {"x": torch.tensor([1.0, 2.0])})
    tensor([1., 4.])
    """
    tensors = list(values.values())
    value = _evaluate(formula, tuple(values), tensors, functions, "torch")
    like = tensors[0] if len(tensors) == 1 else _broadcast(tensors)
    if getattr(value, "shape", None) == like.shape:
        return value
    return value + 0 * like.nan_to_num(0.0, 0.0, 0.0)  # a constant has gradients too: zeros


def _broadcast(tensors):
    import torch

    return torch.broadcast_tensors(*tensors)[0] if tensors else torch.zeros((), dtype=torch.float64)


def _evaluate(formula, names: tuple[str, ...], values, functions, backend):
    if not isinstance(formula, str):
        from skdyn.formulas._expression import written

        formula = written(formula)
    functions = functions or {}
    function = compiled(formula, names, tuple(functions), backend)
    return function(*values, *functions.values())
