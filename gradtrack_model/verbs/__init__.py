"""The public verbs: train, predict, evaluate, compare and export, one a file.

The commands ``gradtrack-train`` and so on parse, call these, and print.
"""
