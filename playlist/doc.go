// Package playlist is the text of playlists: media and multivariant playlists
// of HTTP Live Streaming, and the .m3u, .pls and .xspf files that point to a
// continuous stream. It writes and reads; it knows no media, no files and no
// HTTP. Rules are checked by headwater/playlist/check.
//
// The form that [Media.Append] and [Multivariant.Append] write is fixed to the
// byte (hls-rules A01-A11, A18, A19, A25, A43, A44, B12, B15, B21): the same
// model always gives the same text, so that two origins answer alike.
// [ReadMedia] and [ReadMultivariant] take what any server sends.
//
// # What is grafov/m3u8 and what is not
//
// Multivariant playlists are written by github.com/grafov/m3u8, as one custom
// tag for what it cannot write (CHANNELS, INSTREAM-ID, unquoted FORCED,
// renditions that no variant names), and with its PROGRAM-ID taken out again
// (hls-rules A11). Attribute lists and dates are read by it.
//
// Its media playlists are not used for writing: EXTINF has three decimals of a
// 32-bit float (A18 wants five, exact), dates lose trailing zeros (A44), the
// header's order is another (A07), DISCONTINUITY-SEQUENCE 0 is left out (A25),
// TARGETDURATION grows with a segment (A13), and custom tags come in map order.
// Its line decoders are not used for reading: a URI after EXT-X-KEY with no
// EXTINF, or a bare #WV-CYPHER-VERSION, makes them panic; a blank line after
// EXT-X-STREAM-INF gives a variant without URI; and no error says its line.
//
// RFC 8216, and draft-pantos-hls-rfc8216bis-22 where it is stricter.
package playlist
