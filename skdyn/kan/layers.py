"""Layers of Kolmogorov-Arnold networks, as plain torch modules for networks of one's own.

:class:`KANLayer` stands where ``torch.nn.Linear`` would, with a function on each edge in place of a
weight; :class:`KAN` is several in a row. They train with any optimizer and any loss, and know
nothing of scikit-learn.

The functions are learned on a range of each input, at first [-1, 1], and go on outside it along
their tangents, those of the first layer of a :class:`KAN` along chords. ``adapt`` moves the ranges,
and the knots of splines inside them, to where inputs are; ``refine`` takes a finer grid. Both leave
the functions what they are. What moves weights from one basis to another replaces parameters: make
the optimizer after ``refine``.
"""

from skdyn.kan._layer import KANLayer
from skdyn.kan._network import KAN

__all__ = ["KAN", "KANLayer"]
