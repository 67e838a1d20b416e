"""Prefect's own settings that are good for our runs, wherever the server is."""

# No telemetry; no web page of another origin, while the server's own need no leave; and our log lines beside
# Prefect's in its UI. Task runs are recorded in batches: one by one they lagged far behind, and took half of
# the processor time that a run costs the server.
GOOD_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": "",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "coursera_sync",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
