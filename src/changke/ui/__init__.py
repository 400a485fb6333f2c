"""UI: base templates, components, static files, charts and the words for enums."""
