"""
Can a memory count from a smudged three?
========================================

A memory that completes patterns stands still. :class:`~skdyn.SequenceMemory` stores what follows
what: shown a digit, it recalls the next one, then the one after that. We teach it to count with
images, spoil its first image, and ask how long a sequence may be.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdyn import SequenceMemory
from skdyn.hopfield import PolynomialInteraction

images, labels = load_digits(return_X_y=True)
count = np.array([images[labels == digit][7] for digit in range(10)])

# %%
# The ten images, and zero again after nine: a cycle. Then a three of which a third of the pixels
# were replaced at random.

memory = SequenceMemory().fit(np.concatenate([count, count[:1]]))
rng = np.random.default_rng(0)
smudged = count[3].copy()
spoilt = rng.choice(64, 21, replace=False)
smudged[spoilt] = rng.uniform(0, 16, 21)
recalled = memory.recall([smudged], n_steps=9)[0].T
nearest = [int(np.linalg.norm(count - image, axis=1).argmin()) for image in recalled]
print("recalled:", nearest)
print(f"largest difference from the stored images: {np.abs(recalled - count[nearest]).max():.1g}")

figure, axes = plt.subplots(1, 10, figsize=(10, 1.4), constrained_layout=True)
for ax, image, name in zip(axes, [smudged, *recalled], ["shown", *map(str, nearest)], strict=True):
    ax.imshow(image.reshape(8, 8), cmap="gray_r")
    ax.set_title(name)
    ax.axis("off")

# %%
# How long may a sequence be? With bits there are laws. The rule of Hebb loses its way after a
# quarter as many steps as there are bits; each power holds far longer sequences, in the same
# number of bits.

n_bits, n_steps = 40, 1024
sequence = rng.choice([-1.0, 1.0], (n_steps + 1, n_bits))


def steps_held(interaction):
    """Return the longest sequence, in a doubling series, that is replayed without an error."""
    held = 0
    for length in (4, 8, 16, 32, 64, 128, 256, 512, 1024):
        part = sequence[: length + 1]
        found = SequenceMemory(interaction).fit(part).recall(part[:1], length)[0].T
        if (found != part[1:]).any():
            break
        held = length
    return held


powers = [1, 2, 3, 4, 5]
held = [steps_held(PolynomialInteraction(order=power + 1)) for power in powers]
for power, length in zip(powers, held, strict=True):
    print(f"power {power}: {length} steps")

figure, axes = plt.subplots(figsize=(6, 3.5), constrained_layout=True)
axes.semilogy(powers, held, "o-", label="replayed without an error")
axes.axhline(0.27 * n_bits, color="gray", linestyle=":", label=".27 steps per bit (Hebb)")
axes.set(xlabel="power of the overlap", ylabel="steps", title=f"{n_bits} bits", xticks=powers)
axes.legend()
plt.show()
