"""Sines and cosines."""

from numbers import Integral

from skdyn._validation import Interval
from skdyn.symbolic.libraries._base import FeatureLibrary

__all__ = ["FourierLibrary"]


class FourierLibrary(FeatureLibrary):
    """Sines and cosines of whole multiples of each column.

    .. math:: \\sin(x_0), \\cos(x_0), \\sin(x_1), \\cos(x_1), \\sin(2 x_0), \\ldots

    Parameters
    ----------
    n_frequencies : int, default=1
        Number of frequencies 1, 2, ...
    include_sin : bool, default=True
        Whether to include sines.
    include_cos : bool, default=True
        Whether to include cosines.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    n_output_features_ : int
        Number of terms.
    terms_ : list of tuple of (str, int)
        The terms: formulas in x0, x1, ... with their powers.

    See Also
    --------
    FunctionLibrary : Other functions, and frequencies that are not whole, such as "sin(0.5*x)".

    Examples
    --------
    >>> from skdyn.symbolic.libraries import FourierLibrary
    >>> FourierLibrary(n_frequencies=2).fit([[0.0]]).get_feature_names_out(["angle"])
    array(['sin(angle)', 'cos(angle)', 'sin(2 angle)', 'cos(2 angle)'],
          dtype=object)
    """

    _parameter_constraints = {
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "include_sin": ["boolean"],
        "include_cos": ["boolean"],
    }

    def __init__(
        self, n_frequencies: int = 1, include_sin: bool = True, include_cos: bool = True
    ) -> None:
        self.n_frequencies = n_frequencies
        self.include_sin = include_sin
        self.include_cos = include_cos

    def _terms(self, inputs):
        functions = ["sin"] * self.include_sin + ["cos"] * self.include_cos
        if not functions:
            raise ValueError(
                "include_sin=False and include_cos=False leave no function; include one of them."
            )
        for frequency in range(1, self.n_frequencies + 1):
            for variable in inputs.values():
                argument = variable if frequency == 1 else f"{frequency}*{variable}"
                for function in functions:
                    yield ((f"{function}({argument})", 1),)
