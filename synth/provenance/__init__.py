"""How a picture says that it was made: the invisible keyed mark."""
