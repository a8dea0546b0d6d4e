"""What the sum and the product of two libraries share."""

from skdyn.symbolic.libraries._base import FeatureLibrary
from skdyn.symbolic.libraries._fourier import FourierLibrary
from skdyn.symbolic.libraries._polynomial import PolynomialLibrary

__all__ = ["PairLibrary"]


class PairLibrary(FeatureLibrary):
    """Base of libraries made of two."""

    _parameter_constraints = {"left": [FeatureLibrary, None], "right": [FeatureLibrary, None]}

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right

    def _parts(self):
        left = PolynomialLibrary() if self.left is None else self.left
        right = FourierLibrary() if self.right is None else self.right
        return left, right
