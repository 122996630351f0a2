"""Files and requests of people who mean harm, made by code; docs/explanation/security.md has the promises."""
