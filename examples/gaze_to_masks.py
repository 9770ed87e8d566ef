# %% [markdown]
# # From gaze to masks
#
# Two readers look at images; what they looked at last is what a network learns to find. Nobody
# draws a mask to train it: the masks of the example are used to evaluate alone. This is a tiny
# network and a few steps, so that it runs in seconds; `docs/getting-started.md` has the real one.
# It needs PyTorch: `pip install "gazetrack[model]"`.

# %%
import gazetrack
import gradtrack_model

example = gazetrack.write_example("gaze-to-masks", n_images=8, size=(48, 64))
folder = example.folder

# %% [markdown]
# Exports become tables of fixations, and these become track maps: the core of each track first,
# then more and more of it.

# %%
gazetrack.convert(example.exports, out=folder)
maps = folder / "maps"
gazetrack.render(folder, images=folder / "images", out=maps)
tracks = gazetrack.tracks(folder / "reader-1.fixations.parquet", images=folder / "images")
image = folder / "images" / "lesion-001.png"
figure = gazetrack.plot_track(tracks[0], image, gazetrack.render_maps(tracks[0]))
figure  # noqa: B018 - a notebook shows it

# %% [markdown]
# The network is trained on images and gaze; a few images are held out.

# %%
settings = {"steps": 20, "image_size": 64, "val_every": 20, "tensorboard": False}
result = gradtrack_model.train(folder, "tiny", settings=settings, out=folder / "runs", force=True)
network = gradtrack_model.load_model(result.folder)
found = gradtrack_model.predict(network, folder / "images")
print(f"{len(found)} images, {sum(one.share > 0 for one in found)} with something found")

# %% [markdown]
# Dice against the masks that the network never saw. So few steps teach it little: the number shows
# that all parts fit together.

# %%
scores = gradtrack_model.evaluate(found, folder / "masks")
dice = scores.summary()["dice"]["mean"]
assert 0 <= dice <= 1
print(f"mean Dice {dice:.2f}")
