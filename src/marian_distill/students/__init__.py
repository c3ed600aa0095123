"""Students by kind, a folder each."""
