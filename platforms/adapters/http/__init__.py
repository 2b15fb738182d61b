"""Custom platform: any HTTP endpoint that speaks the contract in README.md."""
