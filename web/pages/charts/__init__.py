"""Charts as data, which templates draw as SVG: learning curves, and the layers of a network."""
