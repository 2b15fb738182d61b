"""LinkedIn: members and organisations."""
