"""Actions: the only writers; one public verb is one transaction."""
