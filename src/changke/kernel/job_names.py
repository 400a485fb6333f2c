"""Names of the jobs: actions defer by name, jobs/ registers under the same name, a test compares both."""

from enum import StrEnum


class JobName(StrEnum):
    REFRESH_LAKE = "refresh_lake"
    RUN_IMPORT = "run_import"
    RUN_RFM = "run_rfm"
    RECORD_SEGMENT_SIZES = "record_segment_sizes"
    RESCUE_STALLED_JOBS = "rescue_stalled_jobs"
    MAKE_EXPORT = "make_export"
    PURGE_EXPIRED = "purge_expired"
