"""Jobs: clockwork; tasks and schedules that call one action each."""
