package demux

import "bytes"

// signature is how an input that is not taken begins.
type signature struct {
	at    int
	magic string
	name  string // with what to do about it
}

const (
	asHTTP = "an HTTP request; players connect to the HTTP port, encoders send the bare stream here"
	asText = "text, not media"
	asMP4  = "MP4, to be sent as MPEG-TS (ffmpeg -f mpegts)"
)

// signatures must not be the beginning of MPEG-TS, MP3, ADTS or Ogg, nor likely
// inside one, where a source may begin.
var signatures = [...]signature{
	{0, "GET /", asHTTP}, {0, "HEAD /", asHTTP}, {0, "PUT /", asHTTP}, {0, "POST /", asHTTP},
	{0, "SOURCE /", asHTTP}, {0, "OPTIONS ", asHTTP}, {0, "CONNECT ", asHTTP}, {0, "PRI * HTTP/2", asHTTP},
	{0, "HTTP/1.", "an HTTP answer; give the bare stream's address"},
	{0, "RTSP/1.", "RTSP, which is not taken"},
	{0, "<!DOCTYPE", "HTML, not media"}, {0, "<html", "HTML, not media"}, {0, "<?xml", "XML, not media"},
	{0, "#EXTM3U", "a playlist; send the media itself"},
	{0, "SSH-", "an SSH client"},
	{0, "\x16\x03\x01", "a TLS client; this port is not encrypted"},
	{0, "RIFF", "RIFF (WAV or AVI), to be sent as MP3, AAC or MPEG-TS"},
	{0, "FORM", "AIFF, to be sent as MP3, AAC or MPEG-TS"},
	{0, "fLaC", "bare FLAC, to be sent in Ogg (ffmpeg -c copy -f ogg), or as MP3, AAC or MPEG-TS"},
	{0, "ADIF", "AAC in ADIF, to be sent as ADTS (ffmpeg -f adts)"},
	{0, "FLV\x01", "FLV, to be sent as MPEG-TS (ffmpeg -f mpegts)"},
	{0, "\x1a\x45\xdf\xa3", "Matroska or WebM, to be sent as MPEG-TS (ffmpeg -f mpegts)"},
	{0, "\x00\x00\x01\xba", "an MPEG program stream, to be sent as MPEG-TS (ffmpeg -f mpegts)"},
	{4, "ftyp", asMP4}, {4, "styp", asMP4}, {4, "moov", asMP4}, {4, "moof", asMP4},
}

// alien names what b is the beginning of if that is known and not taken, else
// it returns "".
func alien(b []byte) string {
	for i := range signatures {
		s := &signatures[i]
		if len(b) >= s.at && bytes.HasPrefix(b[s.at:], []byte(s.magic)) {
			return s.name
		}
	}
	const rtmpHandshake = 1 + 4 + 4 // version 3, a time, zero
	if len(b) >= rtmpHandshake && b[0] == 3 && string(b[5:9]) == "\x00\x00\x00\x00" {
		return "RTMP, which is not taken here; send MPEG-TS (ffmpeg -f mpegts)"
	}
	if text(b) {
		return asText
	}
	return ""
}

// text reports whether b begins with so many printable characters that it can be nothing else.
func text(b []byte) bool {
	const sample = 512
	if len(b) < sample {
		return false
	}
	for _, c := range b[:sample] {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// bareVideo reports whether b begins with a start code.
func bareVideo(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0, 0, 1}) || bytes.HasPrefix(b, []byte{0, 0, 0, 1})
}
