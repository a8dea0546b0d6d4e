r"""One step of a stiffly accurate ESDIRK method, for stiff fields.

Stage i solves :math:`Y = r_i + \gamma h f(t_i, Y)` by a simplified Newton iteration with the
Jacobian of the step's start, factorized once for all stages. The adjoint uses the implicit function
theorem with each stage's own Jacobian: no second derivative of the field is needed.
"""

import torch

from skdyn.solvers._tape import case_jacobians

__all__ = ["ImplicitStepper"]

# Newton stops when its last update is this small against the tolerance of the step.
_NEWTON_TOLERANCE = 1e-3
_NEWTON_ITERATIONS = 8


class ImplicitStepper:
    """Steps of an ESDIRK method whose last stage is its solution.

    Parameters
    ----------
    tableau : Tableau
        The method, with a constant diagonal from the second stage on.
    tolerance : Tolerance
        Scales the Newton updates.
    """

    needs_jacobian = True

    def __init__(self, tableau, tolerance):
        self.tableau = tableau
        self.n_stages = tableau.n_stages
        self.gamma = float(tableau.matrix[-1, -1])
        self.tolerance = tolerance

    def renewed(self, like):
        """The same method for states like ``like``."""
        return ImplicitStepper(self.tableau, self.tolerance.renewed(like))

    def _newton_matrix(self, jacobian, h):
        step = h[:, :, None] if isinstance(h, torch.Tensor) else h
        eye = torch.eye(jacobian.shape[1], dtype=jacobian.dtype, device=jacobian.device)
        return eye - self.gamma * step * jacobian

    def _factorise(self, field, t, y, h):
        """LU factors of the Newton matrix at the step's start."""
        with torch.enable_grad():
            leaf = y.detach().clone().requires_grad_()
            jacobian = case_jacobians(field(t, leaf), leaf)
        matrix = self._newton_matrix(jacobian, h)
        # A matrix that is not finite has no factors; its case fails through NaN instead.
        return torch.linalg.lu_factor_ex(matrix)[:2]

    def _solve_stage(self, field, t, known, guess, h, factors):
        """State of a stage; NaN in the cases where Newton's iteration did not settle."""
        state, open_ = guess, torch.ones_like(guess[:, :1], dtype=torch.bool)
        state, open_ = self._iterate(field, t, known, state, open_, h, factors)
        if bool(open_.any()):
            # The step's Jacobian is too far off: once more with the one of where we got to.
            restart = torch.where(torch.isfinite(state), state, guess)
            factors = self._factorise(field, t, restart, h)
            state, open_ = self._iterate(field, t, known, restart, open_, h, factors)
        return torch.where(open_, torch.nan, state)

    def _iterate(self, field, t, known, state, open_, h, factors):
        """Newton's iteration in the cases still open; settled ones stay as they are."""
        for _ in range(_NEWTON_ITERATIONS):
            residual = state - known - self.gamma * h * field(t, state)
            update = torch.linalg.lu_solve(*factors, residual[:, :, None])[:, :, 0]
            state = torch.where(open_, state - update, state)
            rounding = 8 * torch.finfo(state.dtype).eps * state.abs().amax(dim=1, keepdim=True)
            settled = self.tolerance.each(update, state) <= _NEWTON_TOLERANCE
            settled = settled | (update.abs().amax(dim=1, keepdim=True) <= rounding)
            open_ = open_ & ~settled
            if not bool(open_.any()):
                break
        return state, open_

    def _slope(self, state, known, h, value):
        """Stage derivative from the stage equation, which does not amplify Newton's error."""
        slope = (state - known) / (self.gamma * h)
        return torch.where(h != 0, slope, value) if isinstance(h, torch.Tensor) else slope

    def attempt(self, tape, clock, chunk, base, last=True):
        """Fill a block from its first two rows; see ``ExplicitStepper.attempt``."""
        z, rows, s, h = chunk.z, chunk.rows, self.n_stages, clock.h
        factors = self._factorise(tape.value, clock.time(1), rows[base], h)
        slope, state = rows[base + 1], rows[base]
        for i in range(2, s + 1):
            known = clock.combine(i, z, base)
            guess = known + self.gamma * h * slope
            t = clock.time(i)
            state = self._solve_stage(tape.value, t, known, guess, h, factors)
            slope = rows[base + (i if i < s else s + 1)]
            tape.evaluate(clock.time, i, state, slope)
            slope.copy_(self._slope(state, known, h, slope))
        rows[base + s].copy_(state)
        return state

    def pull(self, tape, clock, adjoint, base, first, last=True):
        """Send a block's adjoint rows back; see ``ExplicitStepper.pull``."""
        g, rows, s, h = adjoint.z, adjoint.rows, self.n_stages, clock.h
        rows[base + s + 1].add_(self.gamma * h * rows[base + s])
        clock.spread(s, g, base, rows[base + s])
        for i in range(s, 1, -1):
            kappa = rows[base + (i if i < s else s + 1)]
            matrix = self._newton_matrix(tape.jacobian(first + i - 2), h)
            mu = torch.linalg.solve(matrix.mT, kappa[:, :, None])[:, :, 0]
            clock.spread(i, g, base, tape.pull(first + i - 2, mu))

    def replay(self, field, span, y, k, last=True):
        """Take a step as differentiable operations; see ``ExplicitStepper.replay``."""
        a, c, h, s = self.tableau.matrix, self.tableau.nodes, span.h, self.n_stages
        with torch.no_grad():
            factors = self._factorise(field, span.t, y, h)
        stages, known = [k], y
        for i in range(1, s):
            known = y + h * sum(float(a[i, j]) * stages[j] for j in range(i))
            t = span.t + float(c[i]) * h
            with torch.no_grad():
                guess = known + self.gamma * h * stages[-1]
                state = self._solve_stage(field, t, known, guess, h, factors)
                slope = self._slope(state, known, h, field(t, state))
            stages.append(self._attach(field, t, known, state, slope, h))
        return [y, *stages[:-1], known + self.gamma * h * stages[-1], stages[-1]]

    def _attach(self, field, t, known, state, slope, h):
        """Give a solved stage its derivatives, by the implicit function theorem."""
        leaf = state.detach().clone().requires_grad_()
        jacobian = case_jacobians(field(t, leaf), leaf)
        value = field(t, state + (known - known.detach()))
        inverse = torch.linalg.inv(self._newton_matrix(jacobian, h))
        change = value - value.detach()
        return slope + (inverse @ change[:, :, None])[:, :, 0]
