"""Who may do what: people, workspaces, memberships and API tokens."""
