"""From wishes to cases: recipes, the shipped starter set, and the drawing of both in the background."""
