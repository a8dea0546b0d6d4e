"""Equations of ``operators.py`` that no setting was ever chosen on, and those linear in a state.

``make_equation(name, n, seed)`` returns inputs ``(n, channels, *grid)`` and solutions
``(n, 1, *grid)``. All are solved on the grid itself or a finer one: by Fourier series and splitting
on circles and the torus, by eigenvectors or sparse factors on domains with ends.
"""

import numpy as np
from scipy.sparse import diags, eye_array, kron
from scipy.sparse.linalg import splu

__all__ = ["EQUATIONS", "LINEAR", "make_equation"]

POINTS, FINE = 64, 256  # of a line, and those that waves that steepen are solved on
SIDE = 32  # of a square


def waves_on_circle(n, rng, points=POINTS, modes=6, decay=1.0):
    """Random periodic functions of mean zero and standard deviation near one."""
    k = np.arange(1, modes + 1)
    size = k**-decay / np.sqrt(np.sum(k ** (-2.0 * decay)))
    a, b = size * rng.standard_normal((2, n, modes))
    angles = 2 * np.pi * k[:, None] * np.arange(points) / points
    return a @ np.cos(angles) + b @ np.sin(angles)


def waves_with_ends(n, rng, modes=6, decay=1.0, zero=True):
    """Random functions on the unit interval; zero at its ends, or level there."""
    k = np.arange(1, modes + 1)
    size = k**-decay / np.sqrt(np.sum(k ** (-2.0 * decay)) / 2)
    angles = np.pi * k[:, None] * np.linspace(0, 1, POINTS)
    return size * rng.standard_normal((n, modes)) @ (np.sin(angles) if zero else np.cos(angles))


def waves_on_torus(n, rng, modes=3, decay=1.0):
    """Random periodic fields of mean zero and standard deviation one on average."""
    k = np.fft.fftfreq(SIDE, 1 / SIDE)
    square = k[:, None] ** 2 + k**2
    size = np.where((square > 0) & (square <= modes**2), np.maximum(square, 1) ** (-decay / 2), 0.0)
    noise = np.fft.fft2(rng.standard_normal((n, SIDE, SIDE)))
    fields = np.fft.ifft2(noise * size).real
    return fields / fields.std()


def diffuse(u, rate):
    """Multiply the waves of rows on the unit circle by the decay of diffusion."""
    k = 2 * np.pi * np.fft.rfftfreq(u.shape[-1], 1 / u.shape[-1])
    return np.fft.irfft(np.exp(-rate * k**2) * np.fft.rfft(u), u.shape[-1])


def split(u, react, rate, time, steps=200):
    """Diffusion on the unit circle and a reaction with a formula, by Strang's splitting."""
    half = time / steps / 2
    for _ in range(steps):
        u = react(diffuse(react(u, half), 2 * half * rate), half)
    return u


def allen_cahn(n, rng):
    """Phases part: u_t = 0.002 u_xx + 5 (u - u^3)."""
    u = 0.5 * waves_on_circle(n, rng)

    def react(u, t):
        return u * np.exp(5 * t) / np.sqrt(1 + u**2 * (np.exp(10 * t) - 1))

    return u[:, None], split(u, react, 0.002, 1.0)[:, None]


def fisher(n, rng):
    """A species spreads where it grows: u_t = 0.002 u_xx + r(x) u (1 - u); r is an input, too."""
    r = 3 * np.exp(0.5 * waves_on_circle(n, rng, modes=4))
    u = 0.5 / (1 + np.exp(3 * (1 - waves_on_circle(n, rng))))

    def react(u, t):
        grown = u * np.exp(r * t)
        return grown / (1 - u + grown)

    return np.stack([u, r], axis=1), split(u, react, 0.002, 1.0)[:, None]


def korteweg_de_vries(n, rng, steps=2000):
    """Waves become solitons: u_t + u u_x + 0.022^2 u_xxx = 0 on a circle of length 2."""
    u = waves_on_circle(n, rng, FINE, modes=3)
    start = u[:, :: FINE // POINTS]
    k = np.pi * np.fft.rfftfreq(FINE, 1 / FINE)
    step = 0.6 / steps
    turn, low = np.exp(0.5j * step * 0.022**2 * k**3), k < k.max() * 2 / 3

    def push(v):
        return -0.5j * k * low * np.fft.rfft(np.fft.irfft(v, FINE) ** 2)

    v = np.fft.rfft(u)
    for _ in range(steps):  # Runge-Kutta around the exact linear part
        a = push(v)
        b = push(turn * (v + step / 2 * a))
        c = push(turn * v + step / 2 * b)
        d = push(turn * (turn * v + step * c))
        v = turn * (turn * (v + step / 6 * a) + step / 3 * (b + c)) + step / 6 * d
    return start[:, None], np.fft.irfft(v, FINE)[:, None, :: FINE // POINTS]


def shallow_water(n, rng, steps=600):
    """Water at rest with a rough surface, 0.5 time units later: heights."""
    h = 1 + 0.15 * waves_on_circle(n, rng, FINE, modes=5)
    start, step = h[:, :: FINE // POINTS], 0.5 / steps
    k = 2 * np.pi * np.fft.rfftfreq(FINE, 1 / FINE)
    low = k < k.max() * 2 / 3

    def slope(w):
        return np.fft.irfft(1j * k * low * np.fft.rfft(w), FINE)

    def push(w):
        return -np.stack([slope(w[1]), slope(w[1] ** 2 / w[0] + w[0] ** 2 / 2)])

    w = np.stack([h, np.zeros_like(h)])
    for _ in range(steps):
        a = push(w)
        b = push(w + step / 2 * a)
        c = push(w + step / 2 * b)
        w = diffuse(w + step / 6 * (a + 2 * b + 2 * c + push(w + step * c)), 1e-3 * step)
    return start[:, None], w[0, :, None, :: FINE // POINTS]


def stirred(n, rng, steps=80):
    """What flows, spreads and grows on a torus: c_t + v grad c = 0.004 lap c + 2 c (1 - c)."""
    c = 1 / (1 + np.exp(-2 * waves_on_torus(n, rng)))
    stream = waves_on_torus(n, rng, modes=2)
    k = 2 * np.pi * np.fft.fftfreq(SIDE, 1 / SIDE)
    kx, ky = (
        k[:, None],
        k[None, : SIDE // 2 + 1] * np.where(np.arange(SIDE // 2 + 1) < SIDE / 2, 1, -1),
    )
    low = (np.abs(kx) < 2 / 3 * k.max()) & (np.abs(ky) < 2 / 3 * k.max())
    waves = np.fft.rfft2(stream)
    back = (SIDE, SIDE)
    v = [np.fft.irfft2(1j * ky * waves, back), -np.fft.irfft2(1j * kx * waves, back)]
    v = np.array(v) * 0.05
    step = 1.0 / steps
    half = np.exp(-0.004 * step / 2 * (kx**2 + ky**2))

    def push(w):
        c = np.fft.irfft2(w, back)
        flown = v[0] * np.fft.irfft2(1j * kx * w, back) + v[1] * np.fft.irfft2(1j * ky * w, back)
        return low * np.fft.rfft2(2 * c * (1 - c) - flown)

    w = np.fft.rfft2(c)
    for _ in range(steps):
        a = push(w)
        b = push(half * (w + step / 2 * a))
        d = push(half * w + step / 2 * b)
        e = push(half * (half * w + step * d))
        w = half * (half * (w + step / 6 * a) + step / 3 * (b + d)) + step / 6 * e
    return np.stack([c, stream], axis=1), np.fft.irfft2(w, back)[:, None]


def helmholtz(n, rng):
    """Sound of a fixed source in a damped room: lap u + k^2 (1 + 0.2 i) m(x) u = -f, real part."""
    m = np.exp(0.3 * waves_on_torus(n, rng, modes=2))
    x = np.linspace(0, 1, SIDE + 2)[1:-1]
    line = diags([np.ones(SIDE - 1), -2 * np.ones(SIDE), np.ones(SIDE - 1)], [-1, 0, 1])
    line = line * (SIDE + 1) ** 2
    laplace = kron(line, eye_array(SIDE)) + kron(eye_array(SIDE), line)
    f = np.exp(-((x[:, None] - 0.3) ** 2 + (x - 0.4) ** 2) / 0.005).ravel()
    systems = ((laplace + diags(15.0**2 * (1 + 0.2j) * one.ravel())).tocsc() for one in m)
    u = np.array([splu(system).solve(-f.astype(complex)).real for system in systems])
    return m[:, None], 100 * u.reshape(n, 1, SIDE, SIDE)


def _modes_of(a):
    """Eigenvalues and eigenvectors of -(a u_x)_x, zero at both ends, for each row."""
    between = np.sqrt(a[:, 1:] * a[:, :-1]) * (POINTS - 1) ** 2
    inner = np.arange(POINTS - 2)
    A = np.zeros((len(a), POINTS - 2, POINTS - 2))
    A[:, inner, inner] = between[:, 1:] + between[:, :-1]
    A[:, inner[1:], inner[:-1]] = A[:, inner[:-1], inner[1:]] = -between[:, 1:-1]
    return np.linalg.eigh(A)


def _evolved(n, rng, gain):
    a = np.exp(0.6 * waves_with_ends(n, rng, modes=4, zero=False))
    u = waves_with_ends(n, rng, modes=8)
    values, vectors = _modes_of(a)
    inside = np.einsum("nij,nkj,nk->ni", vectors * gain(values)[:, None], vectors, u[:, 1:-1])
    return np.stack([a, u], axis=1), np.pad(inside, [(0, 0), (1, 1)])[:, None]


def heat(n, rng):
    """Heat in a rod of a conductivity that is an input: linear in the start."""
    return _evolved(n, rng, lambda values: np.exp(-0.02 * values))


def wave(n, rng):
    """A string of a stiffness that is an input, let go from rest: linear in the start."""
    return _evolved(n, rng, lambda values: np.cos(0.7 * np.sqrt(values)))


def transport(n, rng, steps=40):
    """A shape carried around a circle by a speed that is an input: linear in the start."""
    k = np.arange(1, 7)
    parts = [np.stack(_coefficients(n, rng, size)) for size in (0.3 / k, 1 / k)]

    def at(part, x):
        angles = 2 * np.pi * k * x[..., None]
        return np.einsum("nxk,nk->nx", np.cos(angles), part[0]) + np.einsum(
            "nxk,nk->nx", np.sin(angles), part[1]
        )

    def speed(x):
        return np.exp(at(parts[0], x))

    here = np.tile(np.arange(POINTS) / POINTS, (n, 1))
    x, step = here, -0.5 / steps
    for _ in range(steps):  # back to where each point came from
        a = speed(x)
        b = speed(x + step / 2 * a)
        c = speed(x + step / 2 * b)
        x = x + step / 6 * (a + 2 * b + 2 * c + speed(x + step * c))
    return np.stack([speed(here), at(parts[1], here)], axis=1), at(parts[1], x)[:, None]


def _coefficients(n, rng, size):
    return size * rng.standard_normal((2, n, len(size)))


EQUATIONS = {
    "allen_cahn": allen_cahn,
    "fisher": fisher,
    "kdv": korteweg_de_vries,
    "shallow_water": shallow_water,
    "stirred": stirred,
    "helmholtz": helmholtz,
}
LINEAR = {"heat": heat, "wave": wave, "transport": transport}


def make_equation(name, n, seed):
    """Return inputs ``(n, channels, *grid)`` and solutions ``(n, 1, *grid)``, float32."""
    X, y = (EQUATIONS | LINEAR)[name](n, np.random.default_rng(seed))
    return X.astype(np.float32), y.astype(np.float32)
