"""Every constant in nats: what terms, round numbers and bad manners of solutions cost.

A form's price is minus the logarithm of how often such a term is met, up to a constant. The search
reads this module anew each time, so that other prices can be tried by setting them here.
"""

# Monomials, by degree; higher ones cost MORE_DEGREE a degree.
DEGREES = {0: 0.5, 1: 0.5, 2: 1.5, 3: 4.0, 4: 6.0, 5: 7.5, 6: 8.0}
MORE_DEGREE = 1.5

# Other forms: of a variable x and another one, y, with free constants k.
FORMS = {
    "sin(x)": 3.0, "sin(k*x)": 6.0, "y*sin(x)": 4.0, "sin(x)**2": 4.5, "sin(x)*tan(y)": 5.0,
    "sin(x)*sin(y)**2": 5.5, "sin(x)*cos(x)": 4.5, "tan(x)": 4.5, "sin(x)*sin(y)": 4.5,
    "sin(x + y)": 3.5, "sin(x)/y": 5.0,
    "exp(x)": 4.0, "exp(k*x)": 6.5, "y*exp(k*x)": 7.0, "exp(-k*x**2)": 7.5,
    "log(x)": 4.5, "y*log(k*x)": 5.5,
    "Abs(x)": 3.5, "x*Abs(x)": 4.0, "y*Abs(x)": 5.0,
    "1/x": 4.0, "1/x**2": 5.0, "y/x": 4.5, "sqrt(x)": 4.0, "x**k": 7.0, "y*x**k": 7.5,
    "1/(k + x)": 5.0, "x/(k + x)": 4.0, "y/(k + x)": 5.0, "x*y/(k + x)": 4.5,
    "1/(k + x**2)": 6.0, "x/(k + x**2)": 5.5, "x**2/(k + x**2)": 4.5, "x*y/(k + x**2)": 5.5,
    "x**2*y/(k + x**2)": 5.5,
    "tanh(k*x)": 6.0, "1/(exp(k + k*x) + 1)": 5.5, "1/(exp(k + k*x + k*y) + 1)": 7.0,
}  # fmt: skip
RARER = 1.0  # that any of these costs more than its figure says
NO_ANGLE = 1.0  # more for a sine of what was never negative: it is hardly an angle
GIVEN = 3.0  # of a form that a user names and the library does not hold
INNER = 2.0  # of a constant within a term, where sets of terms are compared along smooth curves

# Systems.
ESCAPE = 15.0  # of a system that explodes from all disturbed starts
BREACH = 1e4  # of a breach of what is known: more than any data can say

# Round numbers: shares of the constants that people write down are ...
DECIMAL = 0.2  # of one digit, half as many with each digit more
WHOLE = 0.4
THIRD = 0.05
STATED = 1.0  # that a round number costs at least
WORSE = 4.0  # that a round number may cost in the joint fit
ODDS = 2.0  # at which a round number is believed

# How far from the best the search looks.
COMMON = 4.0  # price of terms that are looked at again in every round
SLACK = 4.0  # by which an exchange of terms may look worse and still be fitted
HOPELESS = 20.0  # behind the best at which a fit is broken off
CLOSE = 10.0  # behind the best within which other systems' constants are rounded, too
