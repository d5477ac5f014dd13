"""The four desks a complaint passes, in order of life: intake, dispatch, escalation, feedback."""
