"""Explicit and implicit Runge-Kutta methods as checked data.

A tableau verifies its own row sums and order conditions when it is built, so that a mistyped
coefficient cannot reach a user.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skdyn.solvers._interpolant import derive_interpolant
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
        published dense output. None derives one of order ``dense_order``.
    dense_order : int, default=3
        Order of the dense output; 3 is the cubic Hermite interpolant.
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
    dense_order: int = 3
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
        b = np.array(self.b)
        if self.dense_order > 3:
            degree = self.dense_order + 1
            return derive_interpolant(self.matrix, b, self.dense_order, degree)
        first, last = np.eye(self.n_stages)[[0, -1]]
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
        residual = order_residual(self.matrix, weights, order)
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

_DOPRI8_B = (
    14005451 / 335480064,
    0,
    0,
    0,
    0,
    -59238493 / 1068277825,
    181606767 / 758867731,
    561292985 / 797845732,
    -1041891430 / 1371343529,
    760417239 / 1151165299,
    118820643 / 751138087,
    -528747749 / 2220607170,
    1 / 4,
)
_DOPRI8_LOW = (
    13451932 / 455176623,
    0,
    0,
    0,
    0,
    -808719846 / 976000145,
    1757004468 / 5645159321,
    656045339 / 265891186,
    -3867574721 / 1518517206,
    465885868 / 322736535,
    53011238 / 667516719,
    2 / 45,
    0,
)

# Prince and Dormand (1981), RK8(7)13M.
DOPRI8 = Tableau(
    "dopri8",
    8,
    a=(
        (1 / 18,),
        (1 / 48, 1 / 16),
        (1 / 32, 0, 3 / 32),
        (5 / 16, 0, -75 / 64, 75 / 64),
        (3 / 80, 0, 0, 3 / 16, 3 / 20),
        (
            29443841 / 614563906,
            0,
            0,
            77736538 / 692538347,
            -28693883 / 1125000000,
            23124283 / 1800000000,
        ),
        (
            16016141 / 946692911,
            0,
            0,
            61564180 / 158732637,
            22789713 / 633445777,
            545815736 / 2771057229,
            -180193667 / 1043307555,
        ),
        (
            39632708 / 573591083,
            0,
            0,
            -433636366 / 683701615,
            -421739975 / 2616292301,
            100302831 / 723423059,
            790204164 / 839813087,
            800635310 / 3783071287,
        ),
        (
            246121993 / 1340847787,
            0,
            0,
            -37695042795 / 15268766246,
            -309121744 / 1061227803,
            -12992083 / 490766935,
            6005943493 / 2108947869,
            393006217 / 1396673457,
            123872331 / 1001029789,
        ),
        (
            -1028468189 / 846180014,
            0,
            0,
            8478235783 / 508512852,
            1311729495 / 1432422823,
            -10304129995 / 1701304382,
            -48777925059 / 3047939560,
            15336726248 / 1032824649,
            -45442868181 / 3398467696,
            3065993473 / 597172653,
        ),
        (
            185892177 / 718116043,
            0,
            0,
            -3185094517 / 667107341,
            -477755414 / 1098053517,
            -703635378 / 230739211,
            5731566787 / 1027545527,
            5232866602 / 850066563,
            -4093664535 / 808688257,
            3962137247 / 1805957418,
            65686358 / 487910083,
        ),
        (
            403863854 / 491063109,
            0,
            0,
            -5068492393 / 434740067,
            -411421997 / 543043805,
            652783627 / 914296604,
            11173962825 / 925320556,
            -13158990841 / 6184727034,
            3936647629 / 1978049680,
            -160528059 / 685178525,
            248638103 / 1413531060,
            0,
        ),
    ),
    b=_DOPRI8_B,
    c=(
        1 / 18,
        1 / 12,
        1 / 8,
        5 / 16,
        3 / 8,
        59 / 400,
        93 / 200,
        5490023248 / 9719169821,
        13 / 20,
        1201146811 / 1299019798,
        1.0,
        1.0,
    ),
    b_error=tuple(high - low for high, low in zip(_DOPRI8_B, _DOPRI8_LOW)),
    error_order=7,
    dense_order=5,
    stability=5.2,
)

_KVAERNO5_B = (
    0.13659751177640291,
    0.0,
    -0.05496908796538376,
    -0.04118626728321046,
    0.62993304899016403,
    0.06962479448202728,
    0.26,
)
_KVAERNO5_LOW = (
    0.13855640231268224,
    0.0,
    -0.04245337201752043,
    0.02446657898003141,
    0.61943039072480676,
    0.26,
    0.0,
)

# Kvaerno (2004), ESDIRK 5(4) with gamma = 0.26: L-stable, its last stage is the solution.
KVAERNO5 = Tableau(
    "kvaerno5",
    5,
    a=(
        (0.26, 0.26),
        (0.13, 0.84033320996790809, 0.26),
        (0.22371961478320505, 0.47675532319799699, -0.06470895363112615, 0.26),
        (
            0.16648564323248321,
            0.10450018841591720,
            0.03631482272098715,
            -0.13090704451073998,
            0.26,
        ),
        _KVAERNO5_LOW[:6],
        _KVAERNO5_B,
    ),
    b=_KVAERNO5_B,
    c=(0.52, 1.230333209967908, 0.8957659843500759, 0.43639360985864756, 1.0, 1.0),
    b_error=tuple(high - low for high, low in zip(_KVAERNO5_B, _KVAERNO5_LOW)),
    error_order=4,
    dense_order=4,
    implicit=True,
)

_ALL = (EULER, MIDPOINT, HEUN, RK4, BOSH3, DOPRI5, TSIT5, DOPRI8, KVAERNO5)
TABLEAUX = {method.name: method for method in _ALL}
