package check_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/playlist"
)

// fakeOrigin serves the built-in programme live, one GOP a segment, and breaks
// what a test tells it to. It is an [http.RoundTripper]: no socket is opened,
// so it works on the clock of a synctest bubble.
type fakeOrigin struct {
	started  time.Time
	segments map[string][][]byte // by rendition, from sequence number firstSequence on

	text    func(path, text string) string                               // changes playlists
	media   func(path string, b []byte) []byte                           // changes segments
	header  func(r *http.Request, h http.Header)                         // changes header fields
	instead func(w http.ResponseWriter, r *http.Request) (answered bool) // answers instead
	info    func(sequence uint64, rendition string, s *playlist.Segment) // changes list entries
	variant func(v *playlist.Variant)                                    // changes variants
}

const (
	firstSequence = 1000
	listed        = 10 // segments of a playlist
	videoPID      = 0x100
	audioPID      = 0x101
	firstPTS      = mux.Ticks(3600)
	gop           = mux.Ticks(2 * mux.ClockRate)
)

// newFakeOrigin returns an origin whose lists are full at the start.
func newFakeOrigin(t *testing.T) *fakeOrigin {
	t.Helper()
	o := &fakeOrigin{started: time.Now(), segments: map[string][][]byte{}}
	for rendition, segments := range cut() {
		o.segments[rendition] = slices.Clone(segments)
	}
	return o
}

// cut makes the segments of each rendition, once for all tests.
var cut = sync.OnceValue(func() map[string][][]byte {
	const n = 40
	loop, err := programme.NewLoop(programme.TS(), -1)
	if err != nil {
		panic(err)
	}
	main, packed := make([][]byte, n), make([][]byte, n)
	var tables [2][]byte
	frames := 0
	for done := false; !done; {
		packets, _ := loop.Next()
		var unit []byte
		for p := packets; len(p) > 0; p = p[mux.PacketSize:] {
			switch pid := int(p[1]&0x1f)<<8 | int(p[2]); pid {
			case 0:
				tables[0] = bytes.Clone(p[:mux.PacketSize])
			case 0x1000:
				tables[1] = bytes.Clone(p[:mux.PacketSize])
			case videoPID, audioPID:
				unit = append(unit, p[:mux.PacketSize]...)
			}
		}
		pid, pts, payload := readPES(unit)
		slot := int((pts - firstPTS) / gop)
		if done = slot >= n; done {
			break
		}
		if main[slot] == nil {
			for _, table := range tables {
				table[3] = table[3]&0xf0 | byte(slot&15)
				main[slot] = append(main[slot], table...)
			}
		}
		main[slot] = append(main[slot], unit...)
		if pid == audioPID {
			if packed[slot] == nil {
				packed[slot] = audio.AppendHeadTag(nil, firstPTS+mux.FromSamples(int64(frames)*1024, 48000), nil)
			}
			packed[slot] = append(packed[slot], payload...)
			frames++
		}
	}
	return map[string][][]byte{"main": main, "audio": packed}
})

// readPES reads the one PES packet in b, the way the programme is made: with
// its header in the first packet.
func readPES(b []byte) (pid int, pts mux.Ticks, payload []byte) {
	for p := b; len(p) > 0; p = p[mux.PacketSize:] {
		at := 4
		if p[3]&0x20 != 0 {
			at += 1 + int(p[4])
		}
		payload = append(payload, p[at:mux.PacketSize]...)
	}
	pid = int(b[1]&0x1f)<<8 | int(b[2])
	h := payload[9:]
	pts = mux.Ticks(h[0]&0x0e)<<29 | mux.Ticks(h[1])<<22 | mux.Ticks(h[2]&0xfe)<<14 | mux.Ticks(h[3])<<7 | mux.Ticks(h[4])>>1
	return pid, pts, payload[9+int(payload[8]):]
}

// newest returns the number of the newest listed segment: one more each 2 s.
func (o *fakeOrigin) newest() uint64 {
	return firstSequence + listed - 1 + uint64(time.Since(o.started)/(2*time.Second))
}

func (o *fakeOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	o.serve(w, r)
	if o.header != nil {
		o.header(r, w.Result().Header)
	}
	return w.Result(), nil
}

func (o *fakeOrigin) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "Date, Age")
	w.Header().Set("Cache-Control", "public, max-age=1")
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if o.instead != nil && o.instead(w, r) {
		return
	}
	rendition, name, numbered := strings.Cut(strings.TrimPrefix(r.URL.Path, "/live/"), "/")
	switch {
	case r.URL.Path == "/live.m3u8":
		o.playlist(w, r, o.multivariant())
	case !numbered && path.Ext(rendition) == ".m3u8":
		o.playlist(w, r, o.list(strings.TrimSuffix(rendition, ".m3u8")))
	case numbered:
		o.segment(w, r, rendition, name)
	default:
		http.Error(w, "there is no such thing", http.StatusNotFound)
	}
}

func (o *fakeOrigin) multivariant() string {
	m := playlist.Multivariant{Variants: []playlist.Variant{
		{URI: "live/main.m3u8", Bandwidth: 200000, AverageBandwidth: 180000, Codecs: "avc1.64001f,mp4a.40.2", Width: 640, Height: 360, FrameRate: 25, ClosedCaptionsNone: true},
		{URI: "live/audio.m3u8", Bandwidth: 80000, AverageBandwidth: 70000, Codecs: "mp4a.40.2", ClosedCaptionsNone: true},
	}}
	if o.variant != nil {
		o.variant(&m.Variants[0])
	}
	return mustAppend(m.Append(nil))
}

func (o *fakeOrigin) list(rendition string) string {
	newest := o.newest()
	m := playlist.Media{TargetDuration: 3, Sequence: newest - listed + 1}
	for n := m.Sequence; n <= newest; n++ {
		start, end := o.edge(n, rendition), o.edge(n+1, rendition)
		s := playlist.Segment{
			URI:      fmt.Sprintf("%s/%d%s", rendition, n, suffix(rendition)),
			Duration: playlist.FromClock(int64(end), mux.ClockRate) - playlist.FromClock(int64(start), mux.ClockRate),
			Time:     o.started.Add(start.Duration()),
		}
		if o.info != nil {
			o.info(n, rendition, &s)
		}
		m.Segments = append(m.Segments, s)
	}
	return mustAppend(m.Append(nil))
}

// edge returns when segment n begins, from the first one on: packed audio at a
// whole frame.
func (o *fakeOrigin) edge(n uint64, rendition string) mux.Ticks {
	at := mux.Ticks(n-firstSequence) * gop
	if rendition == "audio" {
		const frame = 1920
		at = (at + frame - 1) / frame * frame
	}
	return at
}

func suffix(rendition string) string {
	if rendition == "audio" {
		return ".aac"
	}
	return ".ts"
}

func mustAppend(b []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (o *fakeOrigin) playlist(w http.ResponseWriter, r *http.Request, text string) {
	if o.text != nil {
		text = o.text(r.URL.Path, text)
	}
	body, tag := []byte(text), `"%x"`
	w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
	w.Header().Set("Vary", "Accept-Encoding")
	if r.Header.Get("Accept-Encoding") == "gzip" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(body)
		z.Close()
		body, tag = b.Bytes(), `"%x-gz"`
		w.Header().Set("Content-Encoding", "gzip")
	}
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", fmt.Sprintf(tag, sum[:4]))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (o *fakeOrigin) segment(w http.ResponseWriter, r *http.Request, rendition, name string) {
	number, err := strconv.ParseUint(strings.TrimSuffix(name, path.Ext(name)), 10, 64)
	at := number - firstSequence
	if err != nil || number > o.newest() || at >= uint64(len(o.segments[rendition])) {
		http.Error(w, "there is no such segment", http.StatusNotFound)
		return
	}
	body := o.segments[rendition][at]
	if o.media != nil {
		body = o.media(r.URL.Path, bytes.Clone(body))
	}
	w.Header().Set("Content-Type", map[string]string{"main": "video/mp2t", "audio": "audio/aac"}[rendition])
	sum := sha256.Sum256(body)
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sum[:4]))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
