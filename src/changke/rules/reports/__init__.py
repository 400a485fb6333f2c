"""Reports: what each figure means, in plain Python; the set form that pages use is insight/reports."""
