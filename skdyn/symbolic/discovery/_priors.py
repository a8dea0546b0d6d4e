"""What is known of a system before its equations are sought."""

import copy
import re

import numpy as np

from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._fitted import complexity
from skdyn.symbolic.discovery._laws import Laws
from skdyn.symbolic.discovery._meaning import (
    covers,
    generic,
    has_parity,
    is_bounded,
    probes,
    read_term,
    same,
)
from skdyn.symbolic.discovery._terms import evaluate

__all__ = ["GivenTerms", "PriorKnowledge"]

_TOLERANCE = 1e-3  # share of the usual rates that passes for zero
_NEAR = 0.02  # sine of the angle below which a term is as good as a forbidden one
_N_FREE = 3  # constants that a forbidden term may leave open


class PriorKnowledge:
    """What must hold for the equations, in the form in which the search asks for it.

    Parameters
    ----------
    state_names, control_names : sequence of str
        Names of the variables.
    inputs : ndarray of shape (n_rows, n_variables)
        States, then controls, along the data.
    rates : ndarray of shape (n_states,)
        Usual sizes of the derivatives.
    terms : list of Term
        The library.
    required, forbidden : dict, list of str or None, default=None
        Terms that must, and must not, be in equations.
    conserved : list of str or None, default=None
        Functions of the states that are constant along every solution.
    symmetry : list of array-like or None, default=None
        Signs of the states, or matrices, that map solutions to solutions.
    monotone : dict of (equation, variable) to {-1, 1} or None, default=None
        Signs of derivatives of the right-hand sides over the data.
    bounded : list or None, default=None
        States whose right-hand sides are bounded but for damping.
    max_terms : int, default=6
        Most terms of an equation.
    max_complexity : int or None, default=None
        Largest complexity of the system; with ``targets`` of each equation.
    targets : sequence of str or None, default=None
        Names of the equations, if they are not for the derivatives of the states.

    Attributes
    ----------
    laws : Laws
        What ties constants together.

    Raises
    ------
    ValueError
        If statements cannot be read, or contradict each other.
    """

    def __init__(
        self, state_names, control_names, inputs, rates, terms, *, required=None, forbidden=None,
        conserved=None, symmetry=None, monotone=None, bounded=None, max_terms=6,
        max_complexity=None, targets=None,
    ):  # fmt: skip
        self._states, self._names = list(state_names), [*state_names, *control_names]
        self._equations = self._states if targets is None else list(targets)
        self._inputs, self._max_complexity = inputs, max_complexity
        self._probes, self._verdicts = probes(len(self._names)), {}
        self._forbidden = self._of_equations(forbidden, "forbidden_terms", _N_FREE)
        self._required = [
            tuple(self._in_the_librarys_words(term, terms) for term in row)
            for row in self._of_equations(required, "required_terms", 0)
        ]
        signs, matrices = self._symmetries(symmetry)
        self._parities = [[(s, s[i]) for s in signs] for i in range(len(self._equations))]
        bounded = [self._index(name, "bounded") for name in _listed(bounded)]
        self._bounded = {i: f"x{i}" for i in bounded}  # with the term of their damping
        monotone = [self._rise(key, sign) for key, sign in (monotone or {}).items()]
        self.laws = Laws(
            self._names, inputs, rates, _listed(conserved), matrices, monotone, self._bounded
        )
        self._check_required(max_terms)
        self._check_left(terms)
        self.laws.check_conserved([self.allowed(i, terms) for i in range(len(self._equations))])

    # -- statements ----------------------------------------------------------------------------

    def _index(self, name, what, names=None):
        names = self._equations if names is None else names
        if isinstance(name, str) and name in names:
            return names.index(name)
        if isinstance(name, int | np.integer) and 0 <= name < len(names):
            return int(name)
        raise ValueError(f"{what} names {name!r}, but there are {', '.join(names)}.")

    def _of_equations(self, value, what, n_constants):
        """Return the terms that are stated of each equation."""
        if not isinstance(value, dict):
            value = dict.fromkeys(range(len(self._equations)), value)
        rows: list[tuple] = [()] * len(self._equations)
        for name, texts in value.items():
            try:
                row = [read_term(text, self._names, n_constants) for text in _listed(texts)]
            except ValueError as error:
                raise ValueError(f"{what}: {error}") from error
            rows[self._index(name, what)] = tuple(row)
        return rows

    def _in_the_librarys_words(self, term, terms):
        like = (other for other in terms if not other.inner and same(other, term, self._probes))
        return next(like, term)

    def _symmetries(self, symmetry):
        n, n_all = len(self._states), len(self._names)
        signs, matrices = [], []
        for given in [] if symmetry is None else symmetry:
            array = np.asarray(given, dtype=float)
            if array.shape in ((n,), (n_all,)) and (np.abs(array) == 1.0).all():
                signs.append(np.append(array, np.ones(n_all - len(array))))
            elif array.shape == (n, n) and np.isfinite(array).all():
                matrices.append(array)
            else:
                got = f"an array of shape {array.shape}" if array.size > n * n else repr(given)
                raise ValueError(
                    f"symmetry must list signs, 1 or -1, one for each of {', '.join(self._states)}"
                    f", or matrices of shape {(n, n)}; got {got} in the list."
                )
        return signs, matrices

    def _rise(self, key, sign):
        stated = np.ndim(sign) == 0 and sign in (-1, 1)
        if not isinstance(key, tuple) or len(key) != 2 or not stated:
            got = repr(sign) if np.ndim(sign) == 0 else f"an array of shape {np.shape(sign)}"
            raise ValueError(
                "monotone must map pairs (equation, variable) to 1, rising, or -1, falling; got "
                f"{key!r}: {got}."
            )
        return self._index(key[0], "monotone"), self._index(key[1], "monotone", self._names), sign

    # -- contradictions ------------------------------------------------------------------------

    def _check_required(self, max_terms):
        for i, row in enumerate(self._required):
            where = f"the equation of {self._equations[i]}"
            for term in row:
                text = re.sub(r"\bx(\d+)\b", lambda x: self._names[int(x[1])], term.form.text)
                if not np.isfinite(evaluate(term, list(self._inputs.T))).all():
                    raise ValueError(f"required_terms: {text} has no value on some of the data.")
                breach = self._breach(i, term)
                if breach is not None:
                    raise ValueError(
                        f"required_terms and {breach} contradict each other: {text} is required in "
                        f"{where}, but {breach} rules it out. Drop one of the two."
                    )
            if len(row) > max_terms:
                raise ValueError(
                    f"required_terms lists {len(row)} terms for {where}, more than "
                    f"max_terms={max_terms}. Raise max_terms."
                )
        together = self._equations is self._states
        least = max(map(complexity, [self._required] if together else zip(self._required)))
        if self._max_complexity is not None and least > self._max_complexity:
            raise ValueError(
                f"The simplest equations with all required_terms have complexity {least}, more "
                f"than max_complexity={self._max_complexity}. Raise max_complexity."
            )

    def _check_left(self, terms):
        for i, name in enumerate(self._equations):
            if not self.allowed(i, terms):
                raise ValueError(
                    f"No term is left for the equation of {name}: forbidden_terms, symmetry and "
                    "bounded rule all candidates out. Allow more families or a higher degree, or "
                    "state less."
                )

    def _breach(self, i, term):
        """Return what rules a term out of an equation, or None."""
        if self._is_forbidden(i, term):
            return "forbidden_terms"
        if not all(has_parity(term, s, parity, self._probes) for s, parity in self._parities[i]):
            return "symmetry"
        if i in self._bounded and not self._stays_bounded(i, term):
            return "bounded"
        return None

    def _is_forbidden(self, i, term):
        for form in self._forbidden[i]:
            key = form, term.form
            if key not in self._verdicts:
                self._verdicts[key] = covers(form, generic(term), self._probes)
            if self._verdicts[key]:
                return True
        return False

    def _stays_bounded(self, i, term):
        if term.form.text == self._bounded[i]:
            return True
        if term not in self._verdicts:
            self._verdicts[term] = is_bounded(term, len(self._states), self._inputs)
        return self._verdicts[term]

    def of_equation(self, i):
        """Return what is known of one equation, which becomes number 0."""
        one = copy.copy(self)
        one._required, one._forbidden = [self._required[i]], [self._forbidden[i]]
        one._parities, one.laws = [self._parities[i]], self.laws.of_equation(i)
        one._bounded = {0: self._bounded[i]} if i in self._bounded else {}
        return one

    # -- what the search asks ------------------------------------------------------------------

    def allowed(self, i, terms):
        """Return the terms that may be in an equation, with those required.

        Parameters
        ----------
        i : int
            The equation.
        terms : iterable of Term
            The library.

        Returns
        -------
        list of Term
        """
        required = self.required(i)
        texts = {term.form.text for term in required}
        kept = [t for t in terms if t.form.text not in texts and self._breach(i, t) is None]
        return [*required, *kept]

    def required(self, i):
        """Return the terms that must be in an equation.

        Parameters
        ----------
        i : int
            The equation.

        Returns
        -------
        tuple of Term
        """
        return self._required[i]

    def price(self, equations, coefficients):
        """Return nats to add to the score of a system: none if it agrees with all that is known.

        Parameters
        ----------
        equations : tuple of tuple of Term
            Terms of each equation.
        coefficients : tuple of tuple of float
            Their coefficients.

        Returns
        -------
        float
        """
        return prices.BREACH * sum(self.breaches(equations, coefficients).values())

    def breaches(self, equations, coefficients):
        """Return how far a system is from what is known.

        Parameters
        ----------
        equations : tuple of tuple of Term
            Terms of each equation.
        coefficients : tuple of tuple of float
            Their coefficients.

        Returns
        -------
        dict of str to float
            Names of the parameters that state what does not hold, and by how much it does not.
        """
        found = {}

        def add(name, amount):
            if amount > 0.0:
                found[name] = found.get(name, 0.0) + float(amount)

        for i, terms in enumerate(equations):
            texts = {term.form.text for term in terms}
            add("required_terms", sum(t.form.text not in texts for t in self._required[i]))
            free = [term for term in terms if term.inner]  # their constants may have gone anywhere
            if i in self._bounded:
                add("bounded", sum(not self._stays_bounded(i, term) for term in free))
            fixed = [term for term in self._forbidden[i] if not term.inner]
            add(
                "forbidden_terms", sum(same(f, t, self._probes, _NEAR) for f in fixed for t in free)
            )
        if self._max_complexity is not None:
            add("max_complexity", complexity(equations) - self._max_complexity)
        for name, departure in self.laws.departures(equations, coefficients):
            off = np.sqrt(np.mean(departure**2)) if len(departure) else 0.0
            add(name, 0.0 if off <= _TOLERANCE else min(off, 1.0) if off == off else 1.0)
        return found

    def lawful(self, systems):
        """Return the systems that break nothing, with constants to which laws apply exactly."""
        kept = [
            s._replace(coefficients=self.laws.exact(s.equations, s.coefficients))
            for s in systems
            if not self.breaches(s.equations, s.coefficients)
        ]
        if not kept:
            best = min(systems, key=lambda system: system.score)
            broken = ", ".join(self.breaches(best.equations, best.coefficients))
            raise ValueError(
                f"No equations agree with both the data and {broken}: the best ones that were "
                "found break this. Drop what may not hold, or allow further terms (families, "
                "degree, max_terms, max_complexity)."
            )
        return kept

    def residuals(self, equations):
        """Return rows that must vanish, as :meth:`Laws.residuals` does."""
        return self.laws.residuals(equations)


class GivenTerms:
    """Knowledge of all terms, so that only their constants are left to find.

    Parameters
    ----------
    knowledge : PriorKnowledge
        What else is known.
    equations : tuple of tuple of Term
        The terms of each equation.
    """

    def __init__(self, knowledge, equations):
        self._equations = equations
        self.price, self.residuals = knowledge.price, knowledge.residuals
        self.lawful = knowledge.lawful

    def allowed(self, i, terms):
        """Return the terms of an equation, whatever the library holds."""
        return list(self._equations[i])

    def required(self, i):
        """Return the terms of an equation."""
        return self._equations[i]


def _listed(value):
    return [] if value is None else [value] if isinstance(value, str) else list(value)
