"""The page on which a person reviews uncertain answers."""
