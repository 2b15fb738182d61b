"""The vocabulary of reading: adjectives and prepositions. Every read of a person goes through `visible_to`."""
