"""The OpenAPI document, generated from what is declared beside each route.

No library: spectree 3 knows JSON answers only, without headers, and flask-openapi3 4 takes all else as handwritten
dicts; both refuse TypedDicts. Of our 437 answers 367 are other media types, 137 have headers, and files are forms or
raw bodies.
"""
