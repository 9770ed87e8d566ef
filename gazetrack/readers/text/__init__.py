"""The engine that reads delimited text, block by block."""
