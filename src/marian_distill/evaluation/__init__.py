"""What a translation is worth and what it costs."""
