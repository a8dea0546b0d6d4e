"""
Steering a network by what it knows
===================================

A dictionary of a network's hidden layer finds features that look like parts of digits. Whether the
network *uses* them is seen when one of them is turned up or off and the network goes on from there:
:func:`~skdyn.autoencoder.spliced` does so for the length of a block.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdyn import SparseAutoencoder
from skdyn.autoencoder import LatentEdit, collect_activations, loss_recovered, spliced

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
entropy = torch.nn.functional.cross_entropy

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
optimizer = torch.optim.Adam(network.parameters(), lr=0.01, weight_decay=1e-3)
for _ in range(150):
    optimizer.zero_grad()
    entropy(network(torch.tensor(X_train)), torch.tensor(y_train)).backward()
    optimizer.step()
network.requires_grad_(False)


def said(images):
    """Return the digit that the network says of each image."""
    return network(torch.tensor(images)).argmax(dim=1).numpy()


print(f"Accuracy {(said(X_test) == y_test).mean():.3f}")

# %%
# A dictionary, and what it costs
# -------------------------------
# Six features an image restore the layer. Variance explained is one thing; what the network makes
# of the restored layer another. The share of its loss that is recovered lies between the layer's
# mean (0) and the layer itself (1).

hidden = collect_activations(network, X_train, "1")
model = SparseAutoencoder(96, k=6, max_iter=60, learning_rate=0.01, random_state=0).fit(hidden)
found = loss_recovered(network, X_test, "1", model, entropy, targets=y_test)
print(f"Variance explained {model.score(collect_activations(network, X_test, '1')):.3f}")
print(f"Loss recovered {found.share:.3f} ({found.loss:.3f} -> {found.spliced:.3f})")
with spliced(network, "1", model):
    print(f"Accuracy from six features {(said(X_test) == y_test).mean():.3f}")

# %%
# Turned up
# ---------
# The feature whose atom, sent through the output layer, speaks most for a digit is that digit's
# candidate. Its code is raised step by step in all images of *other* digits; what the dictionary
# leaves over is kept, so that nothing else changes.

effects = model.components_ @ network[2].weight.numpy().T
effects -= effects.mean(axis=1, keepdims=True)
candidates = effects.argmax(axis=0)
amounts = np.linspace(0, 12, 7)
shares = np.zeros((10, len(amounts)))
for digit, latent in enumerate(candidates.tolist()):
    others = X_test[y_test != digit]
    for place, amount in enumerate(amounts.tolist()):
        with spliced(network, "1", model, LatentEdit(add={latent: amount}), keep_error=True):
            shares[digit, place] = (said(others) == digit).mean()

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for digit in range(10):
    left.plot(amounts, shares[digit], marker="o", label=str(digit))
left.set(xlabel="added to the code", ylabel="share of other digits taken for this one")
left.legend(title="digit", ncols=2)

# %%
# Turned off
# ----------
# The other way round: without a feature, which digits does the network no longer know? Rows are the
# digits' candidates, columns the digits shown; each field is the accuracy that is lost.

known = np.array([(said(X_test[y_test == shown]) == shown).mean() for shown in range(10)])
lost = np.zeros((10, 10))
for digit, latent in enumerate(candidates.tolist()):
    with spliced(network, "1", model, LatentEdit(scale={latent: 0.0}), keep_error=True):
        for shown in range(10):
            lost[digit, shown] = known[shown] - (said(X_test[y_test == shown]) == shown).mean()

image = right.imshow(lost, cmap="Blues", vmin=0, vmax=1)
right.set(xlabel="digit shown", ylabel="feature taken out, the candidate of", xticks=range(10))
right.set_yticks(range(10))
figure.colorbar(image, label="accuracy lost")
own = lost.diagonal().mean()
beside = (lost.sum() - lost.diagonal().sum()) / 90
print(f"Accuracy lost on the feature's own digit {own:.2f}, on others {beside:.2f}")

plt.show()
