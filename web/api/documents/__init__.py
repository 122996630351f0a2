"""How each resource looks in JSON: its type, which the OpenAPI document is made from, and what builds it."""
