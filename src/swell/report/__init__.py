"""Every format in which a result is shown."""
