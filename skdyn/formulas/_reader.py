"""Read the text of a formula into a syntax tree of arithmetic, whatever the text says.

The tree is one of Python's, so that it can be compiled; it is built here, node by node, of
numbers, declared names, operators and calls of known functions. Nothing else can get in.
"""

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from skdyn.formulas._bounds import LONGEST, check_bounds
from skdyn.formulas._functions import CONSTANTS, FUNCTIONS, function_named

__all__ = ["names_in", "read", "refusal", "renamed", "right_side"]

_MOST_NAMES = 20  # in a message
_DEEPEST = 60  # brackets, powers and signs within each other
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d]\w*")
_OPERATOR = re.compile(r"\*\*|[-+*/^(),]")
_OF_PYTHON = {"if", "else", "and", "or", "not", "in", "is", "for"}  # no names if none is declared
_LEFT_SIDE = r"[^=()+*^]*"  # "x'", "dx/dt", "rate of x"
_SUM = {"+": ast.Add, "-": ast.Sub}
_PRODUCT = {"*": ast.Mult, "/": ast.Div}


class _Token(NamedTuple):
    kind: str  # "number", "name", an operator, or "end"
    text: str
    start: int
    end: int


def read(
    text: str,
    names: Iterable[str] | None = None,
    functions: Iterable[str] = (),
) -> ast.expr:
    """Read a formula.

    Parameters
    ----------
    text : str
        The formula, see :mod:`skdyn.formulas`.
    names : iterable of str or None, default=None
        The names of variables that it may have; they come before constants of the same name. None
        takes any word that is no constant of the grammar.
    functions : iterable of str, default=()
        Names of functions that it may call beside those of the table.

    Returns
    -------
    ast.expr
        Of ``BinOp``, ``UnaryOp``, ``Call``, ``Name`` and ``Constant`` only; functions of the table
        have their names there, whatever alias the text has.

    Raises
    ------
    ValueError
        If the text is no formula, or asks for numbers or powers beyond all use; the error names
        the place.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise refusal(text, f"a formula is a text of at most {LONGEST} characters")
    return _read(text, None if names is None else tuple(names), tuple(functions))


@lru_cache(maxsize=4096)
def _read(text, names, functions):
    try:
        tree = _Parser(text, names, functions).formula()
        check_bounds(tree, text, refusal)
    except RecursionError:
        raise refusal(text, "it is too deep for what is left of Python's stack") from None
    return tree


def refusal(text, reason, at=None):
    """Return the error of a text that is no formula, with the place where that is known."""
    shown = repr(text)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
    place = "" if at is None else f", at character {at + 1}"
    return ValueError(f"The formula {shown} is refused{place}: {reason}.")


def names_in(text: str, functions: Iterable[str] = ()) -> list[str]:
    """List the variables of a formula whose names are not declared, in alphabetical order."""
    tree = read(text, None, functions)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}
    return sorted(names - {"pi"})


def right_side(text: str) -> str:
    """Leave out the left side of an equation whose names are not declared."""
    left = re.match(rf"{_LEFT_SIDE}'?\s*=", text)
    return text[left.end() if left else 0 :].strip()


def renamed(text: str, replacements: dict[str, str]) -> str:
    """Replace words of a formula, all at once, and keep its spelling otherwise."""
    word = rf"({_NUMBER.pattern})|{_WORD.pattern}"
    return re.sub(word, lambda m: m[0] if m[1] else replacements.get(m[0], m[0]), text)


class _Parser:
    """Recursive descent: sums of products of signed powers of numbers, names, calls, brackets."""

    def __init__(self, text, names, functions):
        self.text, self.functions = text, functions
        self.names = None if names is None else {*names}
        odd = sorted((n for n in names or () if not _WORD.fullmatch(n)), key=len, reverse=True)
        odd = "|".join(map(re.escape, odd)) or "(?!)"  # which is nowhere
        self.odd, self.left = re.compile(odd), re.compile(rf"\s*(?:{odd}|{_LEFT_SIDE})'?\s*=")
        self.tokens, self.at, self.depth = list(self._tokens()), 0, 0

    def _tokens(self):
        left = self.left.match(self.text)
        at = left.end() if left else 0
        while at < len(self.text):
            if self.text[at].isspace():
                at += 1
                continue
            token = self._token(at)
            yield token
            at = token.end
        yield _Token("end", "", len(self.text), len(self.text))

    def _token(self, at):
        patterns = [("name", self.odd), ("number", _NUMBER), ("name", _WORD), ("", _OPERATOR)]
        for kind, pattern in patterns:
            if match := pattern.match(self.text, at):
                found = match[0].replace("**", "^")
                return _Token(kind or found, found, at, match.end())
        raise refusal(self.text, f"{self.text[at]!r} has no meaning in a formula", at)

    @property
    def now(self):
        return self.tokens[self.at]

    def _next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def _refuse(self, reason, token=None):
        token = token or self.now
        return refusal(self.text, reason, token.start)

    def _expect(self, kind):
        if self.now.kind != kind:
            raise self._refuse(f"{kind!r} is missing")
        return self._next()

    def formula(self):
        tree = self._sum()
        if self.now.kind != "end":
            raise self._refuse(f"{self.now.text!r} does not belong here")
        return tree

    def _sum(self):
        tree = self._product()
        while self.now.kind in _SUM:
            operator = _SUM[self._next().kind]()
            tree = ast.BinOp(tree, operator, self._product())
        return tree

    def _product(self):
        tree = self._signed()
        while True:
            if self.now.kind in _PRODUCT:
                operator = _PRODUCT[self._next().kind]()
                tree = ast.BinOp(tree, operator, self._signed())
            elif self._factor_follows():
                tree = ast.BinOp(tree, ast.Mult(), self._power())
            else:
                return tree

    def _factor_follows(self):
        """Tell whether the next word or bracket multiplies what stands before it: "2 x"."""
        before, now = self.tokens[self.at - 1], self.now
        hexadecimal = before.text == "0" and before.end == now.start
        return now.kind in ("name", "(") and not hexadecimal

    def _signed(self):
        if self.now.kind not in _SUM:
            return self._power()
        minus = self._next().kind == "-"
        with self:
            operand = self._signed()
        return ast.UnaryOp(ast.USub(), operand) if minus else operand

    def _power(self):
        base = self._atom()
        if self.now.kind != "^":
            return base
        self._next()
        with self:
            return ast.BinOp(base, ast.Pow(), self._signed())

    def _atom(self):
        token = self._next()
        if token.kind == "number":
            whole = token.text.isdecimal() and len(token.text) <= 400
            return ast.Constant(int(token.text) if whole else float(token.text))
        if token.kind == "(":
            with self:
                tree = self._sum()
            self._expect(")")
            return tree
        if token.kind == "name":
            return self._named(token)
        what = "it ends where" if token.kind == "end" else f"{token.text!r} stands where"
        raise self._refuse(f"{what} a number, a name or a bracket is due", token)

    def _named(self, token):
        name, function = token.text, function_named(token.text)
        called = self.now.kind == "("
        if called and (function is not None or name in self.functions):
            return self._call(token, function)
        if function is not None and (self.names is None or name not in self.names):
            raise self._refuse(f"{name} is a function and needs an argument", token)
        if self.names is None:
            known = name not in self.functions and name not in _OF_PYTHON
            if known and called and self.now.start == token.end:
                raise self._refuse(f"{name}() calls no known function: {_known()}", token)
        else:
            known = name in self.names or name in CONSTANTS
        if not known:
            raise self._refuse(f"{name!r} is {self._others()} nor one of the functions "
                               f"{_known()}", token)  # fmt: skip
        return ast.Name(name, ast.Load())

    def _others(self):
        names = sorted(self.names or ())
        more = ", ..." if len(names) > _MOST_NAMES else ""
        return f"none of the names {', '.join(names[:_MOST_NAMES])}{more}" if names else "no name"

    def _call(self, token, function):
        self._next()
        arguments = []
        with self:
            while self.now.kind != ")" or (arguments and self.tokens[self.at - 1].kind == ","):
                arguments.append(self._sum())
                if self.now.kind != ")":
                    self._expect(",")
        self._expect(")")
        name = token.text
        if function is not None and name not in self.functions:
            name = function.name
            if len(arguments) < 2 if function.several else len(arguments) != 1:
                due = "two or more" if function.several else "1"
                raise self._refuse(f"{name} calls no known function of {len(arguments)} values: it "
                                   f"takes {due}", token)  # fmt: skip
        return ast.Call(ast.Name(name, ast.Load()), arguments, [])

    def __enter__(self):
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._refuse(f"it is nested more than {_DEEPEST} deep")

    def __exit__(self, *error):
        self.depth -= 1


def _known():
    return ", ".join(FUNCTIONS)
