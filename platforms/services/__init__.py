"""The only writers of this app's tables: verbs, keyword-only, one transaction and one fact each."""
