"""The built-in practice network: everything can be tried on it without credentials."""
