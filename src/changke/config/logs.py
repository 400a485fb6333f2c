"""Logs: one JSON object a line, or readable text in a terminal; never personal data, never a second line."""

import logging
import logging.config
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

PERSONAL = frozenset({"name", "phone", "email", "address", "password", "token", "code", "birthday", "query", "body"})


def drop_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values under personal keys and fold line breaks, so that an injected text stays one line."""
    for key, value in event.items():
        if key in PERSONAL:
            event[key] = "[left out]"
        elif isinstance(value, str) and key != "exception":
            event[key] = value.replace("\r", "\\r").replace("\n", "\\n")
    return event


def configure_logs(env: Mapping[str, str]) -> None:
    """Set up logging: CHANGKE_LOG=json (shipped) or text, CHANGKE_LOG_LEVEL=INFO."""
    level = env.get("CHANGKE_LOG_LEVEL", "INFO").upper()
    render: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if env.get("CHANGKE_LOG") == "text"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        drop_personal,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"()": structlog.stdlib.ProcessorFormatter, "processor": render, "foreign_pre_chain": shared}
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"level": "WARNING"},
                "django.db.backends": {"level": "WARNING"},
                "axes": {"level": "ERROR"},
                "procrastinate": {"level": "WARNING"},
            },
        }
    )
