"""Files and requests of people who mean harm, made by code; docs/security.md says what is promised against them."""
