package origin_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
)

// Blocks are recycled by nobody but the garbage collector. So readers who hold
// segments, playlists and what listeners were sent, as the very slices that
// lie in the blocks, long after all that has expired, see none of it change,
// while sources come, go and fill more blocks. The checksums are those of the
// moment of publication: a segment's is in its Etag.
func TestNothingChangesUnderAReader(t *testing.T) {
	for _, s := range blockStreams() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				defer b.stop()
				source := newWire(b, s.Stream)
				source.send(20 * time.Second)
				stop := make(chan struct{})
				var reading sync.WaitGroup
				readers := make([]*reader, 5)
				for i := range readers {
					readers[i] = &reader{bed: b, hold: time.Duration(i+1) * 40 * time.Second, random: rand.New(rand.NewPCG(1, uint64(i)))}
					reading.Go(func() { readers[i].run(stop) })
				}
				rounds := 12
				if raceEnabled {
					rounds = 6
				}
				for i := range rounds {
					source.send(20 * time.Second)
					if i == rounds-2 { // before that, one demuxer fills many blocks
						source.reconnect()
					}
				}
				close(stop)
				reading.Wait()
				looks := 0
				for _, r := range readers {
					looks += r.looks
				}
				if looks < 500*rounds {
					t.Errorf("readers looked %d times", looks)
				}
			})
		})
	}
}

// A block is let go of when nothing uses it any more: not the window, nor the
// tail, nor a reader. Who holds a segment holds its blocks and no others, so
// that memory goes by the window alone.
func TestBlocksAreReleased(t *testing.T) {
	for _, s := range blockStreams() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				defer b.stop()
				source := newWire(b, s.Stream)
				source.send(30 * time.Second)
				kept := newKeeper()
				b.server.ServeHTTP(kept, httptest.NewRequest(http.MethodGet, "/live/"+b.media(s.holds).Segments[3].URI, nil))
				if kept.status != 200 || kept.size() == 0 {
					t.Fatalf("a segment = %d with %d bytes", kept.status, kept.size())
				}
				until := time.Now() // all of the segment arrived before

				// The window of 12 s, as long again and 4 s to be fetched still,
				// slots of 2 s at each end, and what the open block adds.
				const most = 45 * time.Second
				for range 10 {
					source.send(10 * time.Second)
					var inSegment int64
					for _, region := range source.alive() {
						switch age := time.Since(region.arrived); {
						case age <= most:
						case region.arrived.After(until):
							t.Fatalf("media is held for %v, want at most %v", age, most)
						default:
							inSegment += int64(region.size)
						}
					}
					if over := time.Since(until); over > most && inSegment > kept.size()+int64(2*s.block) {
						t.Fatalf("%d bytes are held for a segment of %d, in blocks of %d", inSegment, kept.size(), s.block)
					} else if over > most && inSegment == 0 {
						t.Fatal("nothing is held of a segment that is in use: this test sees nothing")
					}
				}
				if !kept.whole() {
					t.Error("the segment has changed")
				}
				runtime.KeepAlive(kept)
				kept = nil
				source.send(2 * time.Second)
				for _, region := range source.alive() {
					if age := time.Since(region.arrived); age > most {
						t.Fatalf("media is held for %v when the last reader has gone, want at most %v", age, most)
					}
				}
			})
		})
	}
}

type blockStream struct {
	name string
	muxtest.Stream
	block int    // bytes of the blocks that it is read into
	holds string // the rendition that consists of them
}

func blockStreams() []blockStream {
	video, mended, radio := muxtest.AV(), muxtest.AV(), muxtest.RawAudio(mux.CodecMP3)
	video.FrameRateNum, video.FrameRateDen, video.GOP, video.VideoBytes = 3, 1, 6, 17_000 // keyframes are too large for listeners to get a copy
	mended.VideoBytes, mended.ParameterSetsOnce = 1500, true                              // units are changed on their way
	return []blockStream{
		{"video", video, 128 << 10, "main"},
		{"video that is mended", mended, 128 << 10, "main"},
		{"radio", radio, 32 << 10, "audio"},
	}
}

// wire is a source that sends bytes in real time, which are read into blocks
// as package ingest does it.
type wire struct {
	bed     *bed
	next    func() (muxtest.Chunk, bool)
	ahead   *muxtest.Chunk
	began   time.Time
	demux   *demux.Demuxer
	feed    mux.Feed
	regions []region
}

// region is a part of a block that was filled by one read.
type region struct {
	arrived time.Time
	size    int
	first   weak.Pointer[byte]
}

func newWire(b *bed, s muxtest.Stream) *wire {
	next, stop := iter.Pull(s.Chunks())
	b.t.Cleanup(stop)
	return &wire{bed: b, next: next, began: time.Now(), demux: demux.New(demux.Options{}), feed: b.attach()}
}

// send sends for d.
func (w *wire) send(d time.Duration) {
	end := time.Now().Add(d)
	for {
		if w.ahead == nil {
			c, _ := w.next()
			w.ahead = &c
		}
		at := w.began.Add(w.ahead.Time.Duration())
		if !at.Before(end) {
			break
		}
		time.Sleep(time.Until(at))
		w.read(w.ahead.Data)
		w.ahead = nil
	}
	time.Sleep(time.Until(end))
	synctest.Wait()
}

// read reads b, as if from a socket.
func (w *wire) read(b []byte) {
	for len(b) > 0 {
		room := w.demux.Buffer()
		n := copy(room, b)
		b = b[n:]
		w.regions = append(w.regions, region{time.Now(), n, weak.Make(&room[0])})
		w.feed.Write(w.demux.Advance(n), time.Now())
	}
}

// reconnect ends the connection in the middle of a packet, and sends on over
// another.
func (w *wire) reconnect() {
	w.feed.Write(w.demux.Flush(), time.Now())
	w.feed.Close(io.ErrUnexpectedEOF, time.Now())
	time.Sleep(300 * time.Millisecond)
	w.demux, w.feed = demux.New(demux.Options{}), w.bed.attach()
}

// alive returns what was read and is still in memory.
func (w *wire) alive() []region {
	runtime.GC()
	var alive []region
	for _, r := range w.regions {
		if r.first.Value() != nil {
			alive = append(alive, r)
		}
	}
	w.regions = alive
	return alive
}

// reader takes all that there is, holds it, and looks at it again and again.
type reader struct {
	bed    *bed
	hold   time.Duration // how long
	random *rand.Rand
	held   []*keeper
	known  map[string]bool // segments that were taken
	looks  int
}

func (r *reader) run(stop <-chan struct{}) {
	r.known = map[string]bool{}
	ctx, leave := context.WithCancel(context.Background())
	var listening sync.WaitGroup
	defer listening.Wait()
	defer leave()
	var tails []*keeper
	for _, path := range []string{"/live.ts", "/live.aac", "/live.mp3"} {
		k := newKeeper()
		k.path = path
		listening.Go(func() {
			r.bed.server.ServeHTTP(k, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		})
		tails = append(tails, k)
	}
	for {
		r.take("/live.m3u8")
		for _, rendition := range []string{"main", "audio"} {
			r.takeSegments(rendition)
		}
		for len(r.held) > 0 && time.Since(r.held[0].since) > r.hold {
			r.held = r.held[1:]
		}
		for _, k := range tails {
			k.forget(time.Now().Add(-r.hold))
		}
		for _, k := range slices.Concat(r.held, tails) {
			r.looks++
			if !k.whole() {
				r.bed.t.Errorf("%s has changed since it was published, %v ago", k.path, time.Since(k.since))
				return
			}
		}
		select {
		case <-time.After(time.Duration(1+r.random.IntN(80)) * 100 * time.Millisecond):
		case <-stop:
			return
		}
	}
}

// take holds the answer to a request, if there is one.
func (r *reader) take(path string, headers ...string) *keeper {
	k := newKeeper()
	k.path = path
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	r.bed.server.ServeHTTP(k, req)
	if k.status != http.StatusOK {
		return nil
	}
	r.held = append(r.held, k)
	return k
}

// takeSegments holds a playlist in both forms, and the segments that are new in it.
func (r *reader) takeSegments(rendition string) {
	list := r.take("/live/" + rendition + ".m3u8")
	r.take("/live/"+rendition+".m3u8", "Accept-Encoding", "gzip")
	if list == nil {
		return
	}
	m, err := playlist.ReadMedia(list.bytes())
	if err != nil {
		r.bed.t.Error(err)
		return
	}
	for _, seg := range m.Segments {
		if seg.Gap || r.known[seg.URI] {
			continue
		}
		r.known[seg.URI] = true
		k := r.take("/live/" + seg.URI)
		if k == nil {
			r.bed.t.Errorf("%s cannot be fetched", seg.URI)
			continue
		}
		if tag := k.tag(); tag != k.Header().Get("Etag") {
			r.bed.t.Errorf("%s has checksum %s when it is fetched, and had %s when it was published", seg.URI, tag, k.Header().Get("Etag"))
		}
	}
}

// keeper is a client that keeps what is sent to it as it lies in memory, which
// no other may do, and its checksums.
type keeper struct {
	path   string
	since  time.Time
	header http.Header
	status int

	mu     sync.Mutex
	pieces []piece // guarded by mu
}

type piece struct {
	came  time.Time
	bytes []byte
	sum   uint32
}

func newKeeper() *keeper { return &keeper{since: time.Now(), header: http.Header{}} }

func (k *keeper) Header() http.Header { return k.header }
func (k *keeper) WriteHeader(s int)   { k.status = s }
func (k *keeper) FlushError() error   { return nil }

func (k *keeper) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pieces = append(k.pieces, piece{time.Now(), b, crc32.ChecksumIEEE(b)})
	return len(b), nil
}

// whole reports whether all bytes are what they were.
func (k *keeper) whole() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.pieces {
		if crc32.ChecksumIEEE(bytes.Clone(p.bytes)) != p.sum { // the race detector sees who copies, not who sums up
			return false
		}
	}
	return true
}

// forget lets go of what came before an instant.
func (k *keeper) forget(before time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.pieces) > 0 && k.pieces[0].came.Before(before) {
		k.pieces = k.pieces[1:]
	}
}

func (k *keeper) bytes() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []byte
	for _, p := range k.pieces {
		all = append(all, p.bytes...)
	}
	return all
}

func (k *keeper) size() int64 { return int64(len(k.bytes())) }

// tag returns the Etag of a segment of these bytes.
func (k *keeper) tag() string {
	all := k.bytes()
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(all, crc32.MakeTable(crc32.Castagnoli)))
	return `"` + hex.EncodeToString(binary.BigEndian.AppendUint32(sum, crc32.ChecksumIEEE(all))) + `"`
}
