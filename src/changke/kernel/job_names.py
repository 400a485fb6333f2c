"""Names of the jobs: actions defer by name, jobs/ registers under the same name, a test compares both."""

from enum import StrEnum


class JobName(StrEnum):
    DO_DUE_WORK = "do_due_work"  # every minute: what is due by our own data
    RESCUE_STALLED_JOBS = "rescue_stalled_jobs"
    REFRESH_LAKE = "refresh_lake"
    SCORE_RFM = "score_rfm"
    RUN_IMPORT = "run_import"
    FIND_DUPLICATES = "find_duplicates"  # over all members
    COMPUTE_FIGURES = "compute_figures"  # of one insight page, for the days and stores that somebody chose
    COMPUTE_USUAL_FIGURES = "compute_usual_figures"  # of every insight page, after a refresh
