"""Explicit and implicit Runge-Kutta methods as checked data.

A tableau verifies its own row sums and order conditions when it is built, so that a mistyped
coefficient cannot reach a user.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skdyn.solvers._order import order_residual

__all__ = ["TABLEAUX", "Tableau"]


@dataclass(frozen=True, eq=False)
class Tableau:
    r"""Coefficients of one Runge-Kutta method.

    The step is :math:`k_i = f(t + c_i h,\, y + h \sum_j a_{ij} k_j)` and
    :math:`y_1 = y + h \sum_i b_i k_i`. The last stage is always :math:`f(t + h, y_1)`: methods
    whose paper stops earlier are completed by it, since it is the next step's first stage anyway
    and dense output wants it.

    Parameters
    ----------
    name : str
        Name by which users choose the method.
    order : int
        Order of the solution ``b``.
    a : sequence of sequences of float
        Rows below the diagonal (explicit) or up to it (implicit), from the second stage on.
    b : sequence of float
        Weights of the solution.
    c : sequence of float
        Nodes, from the second stage on.
    b_error : sequence of float, default=None
        Weights of ``b`` minus those of the embedded solution; None for fixed steps only.
    error_order : int, default=0
        Order of the embedded solution.
    interpolant : array-like of shape (s, p), default=None
        Row i holds the coefficients of :math:`\theta, \theta^2, ...` of stage i's weight in the
        dense output. None means cubic Hermite.
    implicit : bool, default=False
        Whether the stages from the second on are implicit (a constant diagonal).
    stability : float, default=inf
        Length of the stability interval on the negative real axis.

    Raises
    ------
    ValueError
        If a row sum or an order condition fails.
    """

    name: str
    order: int
    a: tuple
    b: tuple
    c: tuple
    b_error: tuple | None = None
    error_order: int = 0
    interpolant: tuple | None = None
    implicit: bool = False
    stability: float = float("inf")
    n_evaluations: int = field(init=False, default=0)

    def __post_init__(self):
        self._complete()
        self._check()

    @property
    def adaptive(self):
        """Whether the method estimates its own error."""
        return self.b_error is not None

    @property
    def n_stages(self):
        """Number of stages, the completing one included."""
        return len(self.b)

    @cached_property
    def matrix(self):
        """The square array of coefficients ``a``, shape (s, s)."""
        full = np.zeros((self.n_stages, self.n_stages))
        for i, row in enumerate(self.a, start=1):
            full[i, : len(row)] = row
        return full

    @cached_property
    def nodes(self):
        """All nodes, the first stage's zero included, shape (s,)."""
        return np.array([0.0, *self.c])

    @cached_property
    def dense(self):
        """Coefficients of the dense output, shape (s, p)."""
        if self.interpolant is not None:
            return np.array(self.interpolant, dtype=float)
        first, last = np.eye(self.n_stages)[[0, -1]]
        b = np.array(self.b)
        return np.stack([first, 3 * b - 2 * first - last, -2 * b + first + last], axis=1)

    def _complete(self):
        """Append the stage at the step's end where the paper's method does not have it."""
        set_ = object.__setattr__
        if tuple(self.a[-1]) == tuple(self.b[: len(self.a[-1])]) and self.c[-1] == 1:
            set_(self, "b", tuple(self.b) + (0.0,) * (len(self.a) + 1 - len(self.b)))
        else:
            set_(self, "a", (*self.a, tuple(self.b)))
            set_(self, "c", (*self.c, 1.0))
            set_(self, "b", (*self.b, 0.0))
        if self.b_error is not None:
            padding = (0.0,) * (len(self.b) - len(self.b_error))
            set_(self, "b_error", tuple(self.b_error) + padding)
        set_(self, "n_evaluations", len(self.b) - 1)

    def _check(self):
        rows = np.abs(self.matrix.sum(axis=1) - self.nodes).max()
        if rows > 1e-13:
            raise ValueError(f"tableau {self.name!r}: a row of a misses its node by {rows:.1e}")
        b = np.array(self.b)
        self._check_order("b", b, self.order)
        if self.adaptive:
            self._check_order("b_error", b - np.array(self.b_error), self.error_order)
        end = np.abs(self.dense.sum(axis=1) - b).max()
        if end > 1e-12:
            raise ValueError(f"tableau {self.name!r}: the dense output misses y1 by {end:.1e}")

    def _check_order(self, which, weights, order):
        residual = order_residual(self.matrix, weights, min(order, 6))
        if residual > 1e-12:
            raise ValueError(
                f"tableau {self.name!r}: {which} misses an order condition up to order {order} "
                f"by {residual:.1e}"
            )


EULER = Tableau("euler", 1, a=((1.0,),), b=(1.0,), c=(1.0,), stability=2.0)

MIDPOINT = Tableau("midpoint", 2, a=((0.5,),), b=(0.0, 1.0), c=(0.5,), stability=2.0)

HEUN = Tableau("heun", 2, a=((1.0,),), b=(0.5, 0.5), c=(1.0,), stability=2.0)

# Kutta (1901).
RK4 = Tableau(
    "rk4",
    4,
    a=((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    c=(0.5, 0.5, 1.0),
    stability=2.785,
)

# Bogacki and Shampine (1989).
BOSH3 = Tableau(
    "bosh3",
    3,
    a=((1 / 2,), (0.0, 3 / 4), (2 / 9, 1 / 3, 4 / 9)),
    b=(2 / 9, 1 / 3, 4 / 9),
    c=(1 / 2, 3 / 4, 1.0),
    b_error=(2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8),
    error_order=2,
    stability=2.51,
)

# Dormand and Prince (1980), RK5(4)7M; interpolant of Shampine (1986).
DOPRI5 = Tableau(
    "dopri5",
    5,
    a=(
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    b=(35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    c=(1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0),
    b_error=(71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40),
    error_order=4,
    interpolant=(
        (1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
        (0, 0, 0, 0),
        (0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
        (0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
        (0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
        (0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
        (0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
    ),
    stability=3.3,
)


def _quartic(scale, roots_at_zero, *factors):
    """Coefficients of theta .. theta^4 of ``scale * theta^m * prod(factors)``, lowest first."""
    polynomial = np.array([scale])
    for factor in factors:
        polynomial = np.convolve(polynomial, factor)
    return tuple(np.concatenate([np.zeros(roots_at_zero - 1), polynomial[::-1]]))


# Tsitouras (2011), with its free fourth-order interpolant.
TSIT5 = Tableau(
    "tsit5",
    5,
    a=(
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (
            5.86145544294642,
            -12.92096931784711,
            8.159367898576159,
            -0.071584973281401,
            -0.028269050394068383,
        ),
        (
            0.09646076681806523,
            0.01,
            0.4798896504144996,
            1.379008574103742,
            -3.290069515436081,
            2.324710524099774,
        ),
    ),
    b=(
        0.09646076681806523,
        0.01,
        0.4798896504144996,
        1.379008574103742,
        -3.290069515436081,
        2.324710524099774,
    ),
    c=(0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
    b_error=(
        0.00178001105222577714,
        0.0008164344596567469,
        -0.007880878010261995,
        0.1447110071732629,
        -0.5823571654525552,
        0.45808210592918697,
        -1 / 66,
    ),
    error_order=4,
    interpolant=(
        _quartic(
            -1.0530884977290216,
            1,
            (1, -1.3299890189751412),
            (1, -1.4364028541716351, 0.7139816917074209),
        ),
        _quartic(0.1017, 2, (1, -2.1966568338249754, 1.2949852507374631)),
        _quartic(2.490627285651252793, 2, (1, -2.38535645472061657, 1.57803468208092486)),
        _quartic(-16.54810288924490272, 2, (1, -1.21712927295533244), (1, -0.61620406037800089)),
        _quartic(47.37952196281928122, 2, (1, -1.203071208372362603), (1, -0.658047292653547382)),
        _quartic(-34.87065786149660974, 2, (1, -1.2), (1, -0.666666666666666667)),
        _quartic(2.5, 2, (1, -1.0), (1, -0.6)),
    ),
    stability=3.5,
)

TABLEAUX = {method.name: method for method in (EULER, MIDPOINT, HEUN, RK4, BOSH3, DOPRI5, TSIT5)}
