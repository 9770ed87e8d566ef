"""ioHub of PsychoPy: event reports, and the HDF5 file they are made of."""
