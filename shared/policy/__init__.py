"""Law as dated data: rule sets, calendars, deadlines, the catalogue."""
