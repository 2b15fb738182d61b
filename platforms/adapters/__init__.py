"""One folder an adapter, independent of each other. They know `contracts`, `errors` and `base`, and `core` below."""
