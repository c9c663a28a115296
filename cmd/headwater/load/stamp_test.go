package load_test

import (
	"bytes"
	"slices"
	"testing"

	"headwater/cmd/headwater/load"
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/muxtest"
)

const run = 0xfffbffe2

func frames(n ...uint32) (all []byte) {
	for _, n := range n {
		all = append(all, load.StampedFrame(run, n, int64(n)*1000+1)...)
	}
	return all
}

// A server takes stamped frames for what they are: MP3 of 128 kbit/s, without a gap.
func TestStampedFrameIsMP3(t *testing.T) {
	var all []byte
	for n := range uint32(500) {
		f := load.StampedFrame(run, n, -1)
		h, err := codec.ParseMPEGAudio(f)
		if err != nil || h.Size != len(f) || h.Bitrate != 128_000 || h.SampleRate != 44100 || h.Layer != 3 || h.Channels != 2 {
			t.Fatalf("frame %d of %d bytes: header %+v, %v", n, len(f), h, err)
		}
		all = append(all, f...)
	}
	if want := 500 * 1152 * 16000 / 44100; len(all) != want {
		t.Errorf("500 frames have %d bytes, want %d", len(all), want)
	}
	if c, _, ok := audio.Recognise(all); !ok || c != mux.CodecMP3 {
		t.Errorf("Recognise = %v, %v, want MP3", c, ok)
	}
}

func TestTracker(t *testing.T) {
	whole := frames(7, 8, 9)
	changed := frames(7, 8, 9)
	changed[500] ^= 1
	tests := []struct {
		name string
		in   []byte
		want load.Track
	}{
		{"whole frames from any number on", whole, load.Track{Frames: 3, Sent: []int64{7001, 8001, 9001}}},
		{"one is missing", frames(7, 9), load.Track{Frames: 2, Missing: 1, Sent: []int64{7001, 9001}}},
		{"one comes again", frames(7, 8, 7, 9), load.Track{Frames: 4, Disordered: 1, Sent: []int64{7001, 8001, 9001}}},
		{"it begins inside a frame", whole[100:], load.Track{Frames: 2, Early: true, Sent: []int64{8001, 9001}}},
		{"a bit is wrong", changed, load.Track{Frames: 2, Missing: 1, Torn: 1, Sent: []int64{7001, 9001}}},
		{"a frame is cut off", slices.Concat(frames(1), whole[:200], frames(3)), load.Track{Frames: 2, Missing: 1, Torn: 1, Sent: []int64{1001, 3001}}},
		{"a frame of another source", slices.Concat(frames(1), load.StampedFrame(1, 77, 5), frames(2)), load.Track{Frames: 2, Sent: []int64{1001, 2001}}},
		{"numbers pass 2^32", frames(1<<32-1, 0), load.Track{Frames: 2, Sent: []int64{(1<<32-1)*1000 + 1, 1}}},
		{"nothing but noise", bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0}, 1000), load.Track{Early: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 4, 100, 417, 418, 1000, 5000} {
				got := load.TrackFrames(run, slices.Collect(slices.Chunk(tt.in, size))...)
				if got.Held > 418 {
					t.Errorf("%d bytes are held", got.Held)
				}
				got.Held = 0
				if !equal(got, tt.want) {
					t.Errorf("in pieces of %d: %+v, want %+v", size, got, tt.want)
				}
			}
		})
	}
}

func equal(a, b load.Track) bool {
	sent := slices.Equal(a.Sent, b.Sent)
	a.Sent, b.Sent = nil, nil
	return sent && a.Frames == b.Frames && a.Missing == b.Missing && a.Disordered == b.Disordered && a.Torn == b.Torn && a.Early == b.Early
}

// Whatever comes, cut anywhere: the same is noted, and no more than a frame is kept.
func FuzzTracker(f *testing.F) {
	f.Add(frames(1, 2), 417)
	f.Add(append(frames(1)[:300], frames(2, 3)...), 2)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		cut = min(max(cut, 0), len(in))
		whole, parts := load.TrackFrames(run, in), load.TrackFrames(run, in[:cut], in[cut:])
		if !equal(whole, parts) || parts.Held > 418 {
			t.Errorf("cut at %d: %+v, want %+v", cut, parts, whole)
		}
	})
}

func TestFirstFrame(t *testing.T) {
	mp3, aac := frames(1), muxtest.RawAudio(mux.CodecAAC).Bytes(1)
	ts := muxtest.AV().Bytes(mux.ClockRate / 5)
	tests := []struct {
		name, contentType string
		in                []byte
		want              int
	}{
		{"MP3 that begins with a frame", "audio/mpeg", frames(1, 2), len(mp3)},
		{"MP3 that begins inside a frame", "audio/mpeg", frames(1, 2)[300:], len(frames(1, 2)) - 300},
		{"part of a frame", "audio/mpeg", mp3[:400], 0},
		{"AAC", "audio/aac; charset=x", aac, len(aac)},
		{"a transport stream, PAT and PMT first", "video/mp2t", ts, 3 * 188},
		{"a transport stream from anywhere", "video/MP2T", ts[100:], 2*188 + 88},
		{"what is not known", "application/ogg", []byte("OggS"), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := load.FirstFrameAt(tt.contentType, tt.in); got != tt.want {
				t.Errorf("FirstFrameAt = %d, want %d", got, tt.want)
			}
		})
	}
}
