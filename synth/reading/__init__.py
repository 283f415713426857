"""How people read the pictures: what they answered, and what it proves."""
