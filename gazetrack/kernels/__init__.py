"""Numba kernels: arrays and scalars in, arrays out."""

from gazetrack.kernels._loading import load_numba

load_numba()  # before any kernel imports numba itself
