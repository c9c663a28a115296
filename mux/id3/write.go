package id3

import "headwater/mux"

// utf8Text says that a text is UTF-8 (id3v2.4.0-structure §4).
const utf8Text = 3

// Append appends to dst an ID3v2.4 tag that holds frames, as made by
// [AppendTitle] and [AppendPrivate]: less than 256 MB.
func Append(dst, frames []byte) []byte {
	dst = append(dst, 'I', 'D', '3', 4, 0, 0, 0, 0, 0, 0)
	putSyncsafe(dst[len(dst)-4:], len(frames))
	return append(dst, frames...)
}

// AppendTitle appends to dst the frames of a title: TPE1 if there is an
// artist, TIT2, and WXXX if there is a URL. Text is UTF-8, as [mux.Title.Clean]
// leaves it, so the frames are less than 6 KiB. A title that says nothing is an
// empty TIT2, which takes an earlier one back (id3v2.4.0-frames §4.2.1, §4.2.2, §4.3.2; hls-rules C36).
func AppendTitle(dst []byte, t mux.Title) []byte {
	t = t.Clean()
	if t.Artist != "" {
		dst = appendText(dst, "TPE1", t.Artist)
	}
	dst = appendText(dst, "TIT2", t.Name)
	if t.URL != "" {
		url := escape(t.URL)
		dst = appendFrameHeader(dst, "WXXX", 2+len(url))
		dst = append(dst, utf8Text, 0) // an empty description
		dst = append(dst, url...)
	}
	return dst
}

// AppendPrivate appends to dst a PRIV frame (id3v2.4.0-frames §4.27).
func AppendPrivate(dst []byte, owner string, data []byte) []byte {
	dst = appendFrameHeader(dst, "PRIV", len(owner)+1+len(data))
	dst = append(append(dst, owner...), 0)
	return append(dst, data...)
}

func appendText(dst []byte, id, text string) []byte {
	dst = appendFrameHeader(dst, id, 1+len(text))
	return append(append(dst, utf8Text), text...)
}

func appendFrameHeader(dst []byte, id string, size int) []byte {
	dst = append(append(dst, id...), 0, 0, 0, 0, 0, 0)
	putSyncsafe(dst[len(dst)-6:], size)
	return dst
}

// escape returns a URL in ASCII, for a frame holds it in ISO 8859-1.
func escape(url string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(url))
	for i := 0; i < len(url); i++ {
		if c := url[i]; c > ' ' && c < 0x7f {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
