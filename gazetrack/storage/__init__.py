"""Files that lie elsewhere: object stores and servers, by their address, through fsspec."""
