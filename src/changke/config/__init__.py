"""Config: settings, URLs, WSGI and the database."""
