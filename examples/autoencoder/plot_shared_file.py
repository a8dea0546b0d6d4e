"""
A dictionary that somebody else trained
=======================================

Dictionaries of language models are shared as files, each project with a layout of its own. Here a
file is written as Gemma Scope's are, small and of digits, so that nothing has to be downloaded;
:func:`~skdyn.autoencoder.load_dictionary` reads it as it would read the real one. What comes back
is an estimator like any other: it can be looked through, measured and trained further.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdyn import SparseAutoencoder
from skdyn.autoencoder import evaluate_dictionary, load_dictionary
from skdyn.inspection import DictionaryDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_test = X[:1200], X[1200:], y[1200:]

# %%
# The file
# --------
# Gemma Scope's ``params.npz`` holds an encoder, a decoder, two biases and a threshold for each
# latent; a latent is active where ``x @ W_enc + b_enc`` passes its threshold. The encoder of a
# fitted model is the change of its codes with the inputs.

theirs = SparseAutoencoder(
    96, k=6, allocation="jumprelu", max_iter=60, random_state=0, dtype="float64"
).fit(X_train)
module, center = theirs.module_, theirs.inverse_transform(np.zeros((1, 96)))[0]
W_enc = (module.encoder_weight * module.input_scale * module.unit).numpy().T
file = Path(tempfile.mkdtemp()) / "params.npz"
np.savez(
    file,
    W_enc=W_enc,
    b_enc=(module.encoder_bias * module.unit).numpy() - center @ W_enc,
    threshold=(module.log_threshold.exp() * module.unit).numpy(),
    W_dec=theirs.components_,
    b_dec=center,
)
print(", ".join(f"{name} {part.shape}" for name, part in np.load(file).items()))

# %%
# Read and looked through
# -----------------------
# The codes are those of the model that wrote it. How often each feature is active is not in such a
# file; ``feature_table(X)`` measures it on data of one's own.

model = load_dictionary(file, k=6)
print(f"Largest difference of a code: {np.abs(model.transform(X) - theirs.transform(X)).max():.1e}")
table = model.feature_table(X_test, n_neighbors=1)
features = table["density"].nlargest(24).index
names = [str(feature) for feature in features]
DictionaryDisplay(model.components_[features], names, image_shape=(8, 8), n_columns=8).plot()

# %%
# Measured, and trained further
# -----------------------------
# On digits that it was not trained on, before and after a few more passes over the training data.
# "raw" is what single pixels tell of the concept "is a zero".

before = evaluate_dictionary(model, X_test, y_test == 0)
model.set_params(learning_rate=1e-3, batch_size=100)
for _ in range(5):
    model.partial_fit(X_train)
after = evaluate_dictionary(model, X_test, y_test == 0)
print(before[["mean", "raw"]].assign(trained_further=after["mean"]).round(3).to_string())

plt.show()
