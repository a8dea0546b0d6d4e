"""Neural ordinary differential equations.

A network is the right-hand side of a differential equation,

.. math:: \\frac{dy}{dt} = f_\\theta(t, y), \\qquad y(t_0) = y_0,

and its weights are learned through the solution [1]_. Two uses share this folder:

- **dynamics**: :class:`NeuralODE` learns :math:`f_\\theta` from trajectories, regular or not, and
  continues them (:math:`f` is autonomous, so only differences of time matter);
- **depth**: :class:`NeuralODERegressor` and :class:`NeuralODEClassifier` let a table's row flow
  from depth 0 to 1 and read the result out linearly. Zeros appended to the row (``augment_dim``)
  let flows represent maps that they otherwise cannot [2]_; penalties from the solver's own error
  and stiffness estimates keep the learned dynamics cheap to solve [3]_.

References
----------
.. [1] R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, "Neural Ordinary Differential
   Equations", NeurIPS 2018.
.. [2] E. Dupont, A. Doucet, Y. W. Teh, "Augmented Neural ODEs", NeurIPS 2019.
.. [3] A. Pal, Y. Ma, V. Shah, C. Rackauckas, "Opening the Blackbox: Accelerating Neural
   Differential Equations by Regularizing Internal Solver Heuristics", ICML 2021.
"""

from skdyn.neural_ode._classifier import NeuralODEClassifier
from skdyn.neural_ode._neural_ode import NeuralODE
from skdyn.neural_ode._regressor import NeuralODERegressor

__all__ = ["NeuralODE", "NeuralODEClassifier", "NeuralODERegressor"]
