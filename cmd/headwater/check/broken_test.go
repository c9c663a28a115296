package check_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"headwater/mux"
	"headwater/playlist"
)

// packetOf calls change with the nth packet of a PID in b.
func packetOf(b []byte, pid, n int, change func(p []byte)) []byte {
	for p := b; len(p) >= mux.PacketSize; p = p[mux.PacketSize:] {
		if int(p[1]&0x1f)<<8|int(p[2]) == pid {
			if n == 0 {
				change(p[:mux.PacketSize])
				break
			}
			n--
		}
	}
	return b
}

// only returns a change of segments that befalls one of them.
func only(name string, change func(b []byte) []byte) func(string, []byte) []byte {
	return func(path string, b []byte) []byte {
		if strings.HasSuffix(path, name) {
			return change(b)
		}
		return b
	}
}

func drop(b []byte, packet int) []byte {
	return slices.Delete(b, packet*mux.PacketSize, (packet+1)*mux.PacketSize)
}

// broken is a way to break one rule.
type broken struct {
	rule, name string
	change     func(o *fakeOrigin)
}

func brokenSegments() []broken {
	const seg = "/1012.ts"
	return []broken{
		{"C01", "no PAT at the start", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return append(b[mux.PacketSize:], b[:mux.PacketSize]...) })
		}},
		{"C01", "no PMT", func(o *fakeOrigin) { o.media = only(seg, func(b []byte) []byte { return drop(b, 1) }) }},
		{"C01", "not media at all", func(o *fakeOrigin) {
			o.media = only(seg, func([]byte) []byte { return []byte("<html>no such thing</html>") })
		}},
		{"C04", "a length that is no multiple of 188", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return b[:len(b)-1] })
		}},
		{"C04", "stuffing packets", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte {
				return append(b, append([]byte{0x47, 0x1f, 0xff, 0x10}, make([]byte, mux.PacketSize-4)...)...)
			})
		}},
		{"C04", "a lost sync byte", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { b[30*mux.PacketSize] = 0; return b })
		}},
		{"C05", "a lost packet", func(o *fakeOrigin) { o.media = only(seg, func(b []byte) []byte { return drop(b, 20) }) }},
		{"C05", "a counter that starts again in each segment", func(o *fakeOrigin) {
			o.media = func(_ string, b []byte) []byte {
				for p := b; b[0] == 0x47 && len(p) > 0; p = p[mux.PacketSize:] {
					if p[1]&0x1f == 0 && p[2] == 0 {
						p[3] &= 0xf0
					}
				}
				return b
			}
		}},
		{"C06", "time that jumps without a discontinuity", func(o *fakeOrigin) {
			o.segments["main"] = append(o.segments["main"][:13:13], o.segments["main"][20:]...)
		}},
		{"C07", "PCRs too far apart", func(o *fakeOrigin) {
			o.media = only(seg, withoutPCR)
		}},
		{"C09", "a first picture that is no keyframe", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0, 0, 1, 0x65}, []byte{0, 0, 1, 0x61}) })
		}},
		{"C09", "no random_access_indicator", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte {
				return packetOf(b, videoPID, 0, func(p []byte) { p[5] &^= 0x40 })
			})
		}},
		{"C10", "no SPS", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0, 0, 1, 0x67}, []byte{0, 0, 1, 0x6c}) })
		}},
		{"C12", "a picture cut in two", func(o *fakeOrigin) {
			main := o.segments["main"]
			last := lastPacket(main[11], videoPID)
			tail := bytes.Clone(main[11][last : last+mux.PacketSize])
			main[11] = slices.Delete(bytes.Clone(main[11]), last, last+mux.PacketSize)
			tail[1] &^= 0x40
			main[12] = slices.Insert(bytes.Clone(main[12]), 2*mux.PacketSize, tail...)
		}},
		{"C13", "an audio frame cut in two", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte {
				return packetOf(b, audioPID, 3, frameLonger)
			})
		}},
		{"C20", "a scrambled packet", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return packetOf(b, audioPID, 5, func(p []byte) { p[3] |= 0x80 }) })
		}},
		{"A16", "an EXTINF that is wrong by 100 ms", func(o *fakeOrigin) {
			o.info = func(n uint64, rendition string, s *playlist.Segment) {
				if rendition == "main" && n == 1012 {
					s.Duration += playlist.Second / 10
				}
			}
		}},
		{"A15", "a segment of two GOPs", func(o *fakeOrigin) {
			o.text = func(_, text string) string {
				return strings.ReplaceAll(text, "TARGETDURATION:3", "TARGETDURATION:1")
			}
		}},
	}
}

// withoutPCR removes every PCR but the first of a PID by clearing its flag and
// turning the field into stuffing.
func withoutPCR(b []byte) []byte {
	first := true
	for p := b; len(p) > 0; p = p[mux.PacketSize:] {
		if p[3]&0x20 != 0 && p[4] >= 7 && p[5]&0x10 != 0 {
			if !first {
				p[5] &^= 0x10
				for i := 6; i < 12; i++ {
					p[i] = 0xff
				}
			}
			first = false
		}
	}
	return b
}

// frameLonger makes the ADTS frame that starts in p claim to be longer than it is.
func frameLonger(p []byte) {
	at := bytes.Index(p, []byte{0xff, 0xf1})
	p[at+4]++ // 8 bytes
}

// lastPacket returns the offset of the last packet of a PID.
func lastPacket(b []byte, pid int) int {
	at := -1
	for i := 0; i < len(b); i += mux.PacketSize {
		if int(b[i+1]&0x1f)<<8|int(b[i+2]) == pid {
			at = i
		}
	}
	return at
}

func brokenPacked() []broken {
	const seg = "/1012.aac"
	return []broken{
		{"C21", "no timestamp", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return b[bytes.Index(b, []byte{0xff, 0xf1}):] })
		}},
		{"C22", "a timestamp from rounded durations", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { b[bytes.Index(b, []byte{0xff, 0xf1})-1] += 40; return b })
		}},
		{"C23", "a frame cut in two", func(o *fakeOrigin) {
			o.media = only(seg, func(b []byte) []byte { return b[:len(b)-10] })
		}},
		{"C23", "an EXTINF that is not that of its frames", func(o *fakeOrigin) {
			o.info = func(n uint64, rendition string, s *playlist.Segment) {
				if rendition == "audio" && n == 1012 {
					s.Duration += playlist.Second / 100
				}
			}
		}},
	}
}

func brokenVariants() []broken {
	return []broken{
		{"B01", "a BANDWIDTH that is too low", func(o *fakeOrigin) {
			o.variant = func(v *playlist.Variant) { v.Bandwidth, v.AverageBandwidth = 100000, 100000 }
		}},
		{"B04", "CODECS without the sound", func(o *fakeOrigin) {
			o.variant = func(v *playlist.Variant) { v.Codecs = "avc1.64001f" }
		}},
		{"B04", "CODECS with what is not there", func(o *fakeOrigin) {
			o.variant = func(v *playlist.Variant) { v.Codecs += ",mp4a.40.34" }
		}},
		{"B09", "a wrong RESOLUTION", func(o *fakeOrigin) { o.variant = func(v *playlist.Variant) { v.Width, v.Height = 1280, 720 } }},
		{"B09", "a wrong FRAME-RATE", func(o *fakeOrigin) { o.variant = func(v *playlist.Variant) { v.FrameRate = 50 } }},
		{"A13", "a target duration that changes", func(o *fakeOrigin) {
			o.text = func(_, text string) string {
				if time.Since(o.started) > 9*time.Second {
					return strings.ReplaceAll(text, "TARGETDURATION:3", "TARGETDURATION:4")
				}
				return text
			}
		}},
	}
}

func brokenAnswers() []broken {
	segment := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".ts") }
	header := func(o *fakeOrigin, name, value string) {
		o.header = func(r *http.Request, h http.Header) {
			if segment(r) {
				h.Set(name, value)
			}
		}
	}
	return []broken{
		{"A31", "a segment that is listed too early", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/1012.ts") {
					http.Error(w, "not yet", http.StatusNotFound)
					return true
				}
				return false
			}
		}},
		{"A36", "a segment that is gone with its line", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				var n uint64
				if _, err := fmt.Sscanf(r.URL.Path, "/live/main/%d.ts", &n); err == nil && n+listed <= o.newest() {
					http.Error(w, "gone", http.StatusGone)
					return true
				}
				return false
			}
		}},
		{"A51", "a gap that is there", func(o *fakeOrigin) {
			o.info = func(n uint64, _ string, s *playlist.Segment) { s.Gap = n == 1012 }
		}},
		{"A23", "a segment that changes", func(o *fakeOrigin) {
			asked := map[string]int{}
			o.media = func(path string, b []byte) []byte {
				b[len(b)-1] += byte(asked[path])
				asked[path]++
				return b
			}
		}},
		{"D01", "segments as text", func(o *fakeOrigin) { header(o, "Content-Type", "text/plain") }},
		{"D02", "segments called .bin", func(o *fakeOrigin) {
			o.text = func(_, text string) string { return strings.ReplaceAll(text, ".ts\n", ".bin\n") }
		}},
		{"D04", "a redirect of the playlist", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/live/main.m3u8" && r.URL.RawQuery == "" {
					http.Redirect(w, r, "/live/main.m3u8?session=1", http.StatusFound)
					return true
				}
				return false
			}
		}},
		{"D08", "no Cache-Control", func(o *fakeOrigin) {
			o.header = func(r *http.Request, h http.Header) {
				if segment(r) {
					h.Del("Cache-Control")
				}
			}
		}},
		{"D13", "no ETag", func(o *fakeOrigin) {
			o.header = func(_ *http.Request, h http.Header) { h.Del("ETag") }
		}},
		{"D13", "no 304", func(o *fakeOrigin) {
			o.instead = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("If-None-Match"); return false }
		}},
		{"D14", "no ranges", func(o *fakeOrigin) {
			o.instead = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Range"); return false }
		}},
		{"D17", "HEAD is refused", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusMethodNotAllowed)
				}
				return r.Method == http.MethodHead
			}
		}},
		{"D18", "an error without CORS", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "no-such-segment") {
					w.Header().Del("Access-Control-Allow-Origin")
				}
				return false
			}
		}},
		{"D24", "an empty answer for what never was", func(o *fakeOrigin) {
			o.instead = func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.URL.Path, "no-such-segment")
			}
		}},
	}
}
