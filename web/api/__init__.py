"""The JSON API under `/api/v1`: a module and a blueprint for each resource."""
