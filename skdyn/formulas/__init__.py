"""Formulas as text and as expressions: one grammar for all that reads, shows or evaluates them.

A formula is arithmetic of numbers, names and functions: ``1.1 x - 0.4 x*y^2``.

- ``+ - * /``, powers as ``^`` or ``**``, and brackets.
- What stands side by side is multiplied: ``2 x``, ``x y``, ``x (1 + y)``. A name before a bracket
  is a call only if it is a function.
- ``Abs sign sqrt exp log sin cos tan cot sec csc asin acos atan sinh cosh tanh coth sech csch
  asinh acosh atanh Max Min``; also ``abs``, ``sgn``, ``ln``, ``max``, ``min``, and ``arcsin`` for
  ``asin`` and so on.
- ``pi`` and ``E``, where no variable has that name. Where the names of variables are not given, as
  in a :class:`~skdyn.symbolic.libraries.FunctionLibrary`, ``E`` is a variable.
- A left side is passed over: ``x' = 1.1 x`` is ``1.1 x``.

Text is read into a tree of nothing but these and is never run; powers, numbers and depth are
bounded. What is shown can be read again.
"""

from skdyn.formulas._expression import latex, parse, show, to_sympy
from skdyn.formulas._nice_numbers import nice_numbers
from skdyn.formulas._values import on_arrays, on_tensors

__all__ = ["latex", "nice_numbers", "on_arrays", "on_tensors", "parse", "show", "to_sympy"]
