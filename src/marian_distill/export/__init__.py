"""A trained model to what a device runs."""
