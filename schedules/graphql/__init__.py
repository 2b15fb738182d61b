"""GraphQL at /api/graphql/: everything the REST API reads, and the main verbs. An interface like `api` and `web`: see README.md."""
