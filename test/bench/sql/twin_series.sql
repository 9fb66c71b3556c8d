ALTER TABLE bench.twin_request DISABLE TRIGGER twin_calendar;
ALTER TABLE bench.twin_request ENABLE TRIGGER twin_series;
