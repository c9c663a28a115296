// Package load puts servers of live media under load and measures how they
// bear it: [Listeners] hold continuous streams of any server that speaks HTTP/1,
// [Viewers] play HTTP Live Streaming, [Publishers] send media over TCP.
//
// Each has one method Run, which blocks until the load has run its time or the
// context ends, and returns a report in either case. Reports are structs for
// JSON, and can be had as a table of plain words and as a chart.
//
// The load is made to cost little, since it often shares a machine with the
// server under test: on Linux all listeners share one goroutine and one buffer.
package load
