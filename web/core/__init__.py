"""What pages and API share: settings, services, forms, errors and uploads."""
