"""States of any shape, solved as rows."""

from torch import nn

__all__ = ["flat", "in_rows", "in_shape", "of_shape"]


def flat(y0):
    """States as rows.

    Parameters
    ----------
    y0 : tensor of shape (n, ...)
        Cases first.

    Returns
    -------
    tensor of shape (n, d)
    """
    return y0 if y0.ndim == 2 else y0.reshape(len(y0), -1)


def in_shape(ys, y0):
    """Give the states of trajectories the shape of ``y0`` back.

    Parameters
    ----------
    ys : tensor of shape (n, t, d)
        Rows.
    y0 : tensor of shape (n, ...)
        Cases first.

    Returns
    -------
    tensor of shape (n, t, ...)
    """
    return ys if y0.ndim == 2 else ys.reshape(*ys.shape[:2], *y0.shape[1:])


def of_shape(function, y0):
    """A function of times and rows, from one that wants states in the shape of ``y0``.

    Parameters
    ----------
    function : callable
        ``function(t, y)``; where each case has its own time, ``t`` has as many axes as ``y``.
    y0 : tensor of shape (n, ...)
        Cases first.

    Returns
    -------
    callable
    """
    if y0.ndim == 2:
        return function
    shape, column = y0.shape, [-1, *[1] * (y0.ndim - 1)]
    return lambda t, y: function(t.view(column) if t.ndim else t, y.reshape(shape))


def in_rows(field, y0):
    """A field of rows, from one of states in the shape of ``y0``.

    Parameters
    ----------
    field : callable
        The vector field.
    y0 : tensor of shape (n, ...)
        Cases first.

    Returns
    -------
    callable
        The same one where ``y0`` has two axes.
    """
    if y0.ndim == 2:
        return field
    return (_ModuleInRows if isinstance(field, nn.Module) else _InRows)(field, y0)


class _InRows:
    def __init__(self, field, y0):
        self.field, self.shape = field, y0.shape
        self.inner = of_shape(field, y0)

    def __call__(self, t, y):
        out = self.inner(t, y)
        return out.reshape(y.shape) if getattr(out, "shape", None) == self.shape else out


class _ModuleInRows(nn.Module):
    """A module stays one: its parameters are known without a try."""

    def __init__(self, field, y0):
        super().__init__()
        self.field = field
        self.rows = _InRows(field, y0)

    def forward(self, t, y):
        return self.rows(t, y)
