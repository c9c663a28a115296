package ingest

// Pace is pace.
var Pace = pace
