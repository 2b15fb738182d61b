"""Property tests of the API from its own OpenAPI file, by schemathesis: `uv run python -m tests.fuzz`."""
