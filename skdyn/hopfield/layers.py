"""Layers of Hopfield networks, as plain torch modules for networks of one's own.

:class:`HopfieldAssociation` looks states up in patterns that come with each call, as attention
does; :class:`HopfieldPooling` asks bags of instances with states that it learns. Masks say what is
there, and a separation other than softmax says that most patterns have no weight at all.
"""

from skdyn.hopfield._layers import HopfieldAssociation, HopfieldPooling

__all__ = ["HopfieldAssociation", "HopfieldPooling"]
