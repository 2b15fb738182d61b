"""The rules of the product: pure, without Django, without a clock, without the database."""
