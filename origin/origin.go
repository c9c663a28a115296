// Package origin publishes streams over HTTP: HLS playlists and segments, the
// continuous outputs, and the JSON API.
//
// A [Stream] is one published name. It takes the media of one source at a
// time, has it cut by the segmenter, keeps the windows, and after each change
// swaps in an immutable snapshot: rendered playlists, plain and gzip, and the
// segments that may be asked for. A [Server] answers requests from snapshots
// without locks, rendering or copies.
//
// RFC 8216 (HLS), RFC 9110 (HTTP semantics), RFC 9111 (caching); hls-rules
// sections A.3, A.4, B and D.
package origin
