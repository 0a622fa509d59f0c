"""I/O at the edge, no state: what speaks to the outside. One module per kind (see CONTRIBUTING.md)."""
