"""What people are told inside the product: facts, gathered into one row for each person and thing."""
