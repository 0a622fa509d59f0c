"""A new rulebook over stored decisions: what would have gone elsewhere, later, or unnoticed. Reads only, sends nothing."""
