"""The `changke` command."""
