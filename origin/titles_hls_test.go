package origin_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/id3"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/segmenter"
)

// taggedTS returns the titles in a transport stream segment, and their times.
func taggedTS(b []byte) (titles []string, times []mux.Ticks) {
	var pes []byte
	end := func() {
		if len(pes) == 0 {
			return
		}
		title, _ := id3.Parse(pes[14:])
		titles = append(titles, title.String())
		times = append(times, mux.Ticks(pes[9]&0xe)<<29|mux.Ticks(pes[10])<<22|mux.Ticks(pes[11]&0xfe)<<14|mux.Ticks(pes[12])<<7|mux.Ticks(pes[13]>>1))
		pes = nil
	}
	for ; len(b) > 0; b = b[mux.PacketSize:] {
		if mux.PID(b[1]&0x1f)<<8|mux.PID(b[2]) != muxtest.TitlePID || b[3]&0x10 == 0 {
			continue
		}
		if b[1]&0x40 != 0 {
			end()
		}
		at := 4
		if b[3]&0x20 != 0 {
			at += 1 + int(b[4])
		}
		pes = append(pes, b[at:mux.PacketSize]...)
	}
	end()
	return titles, times
}

// A title that is set is told in HLS within 100 ms of the media that came then,
// in both renditions, and at the start of every segment that it lasts for
// (hls-rules C36, C38).
func TestTitleInSegments(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
	}{
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3)},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC)},
		{"with pictures", muxtest.AV()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{Window: segmenter.WindowConfig{Duration: 2 * time.Minute}})
				defer b.stop()
				source := b.play(tt.stream)
				set := map[string]time.Time{}
				for i := range 10 {
					source.send(time.Duration(2300+137*i) * time.Millisecond)
					name := fmt.Sprint("title ", i)
					set[name] = time.Now()
					b.stream.SetTitle(mux.Title{Name: name}, time.Now())
				}
				source.send(20 * time.Second)
				synctest.Wait()
				packed := b.media("audio").Segments
				first := map[string]bool{}
				for i, seg := range b.media("main").Segments {
					date := packed[i].Time
					head := []byte(b.body("/live/"+packed[i].URI, 200))
					start, size, err := audio.ParseTimestampTag(head)
					if err != nil {
						t.Fatal(err)
					}
					titles, times := taggedTS([]byte(b.body("/live/"+seg.URI, 200)))
					if len(titles) == 0 {
						if date.Sub(set["title 0"]) > 0 {
							t.Errorf("segment %d tells no title", i)
						}
						continue
					}
					if now, _ := id3.Parse(head[:size]); times[0] == start && now.String() != titles[0] {
						t.Errorf("segment %d of audio begins with %q, of main with %q", i, now, titles[0])
					}
					for k, title := range titles {
						if !bytes.Contains(head, []byte(title)) {
							t.Errorf("%q is not in segment %d of audio", title, i)
						}
						if k == 0 && times[k] == start || first[title] {
							continue
						}
						first[title] = true
						at := date.Add((times[k] - start).Duration())
						if d := at.Sub(set[title]); d.Abs() > 100*time.Millisecond {
							t.Errorf("%q is told at %v, %v from where it was set", title, at, d)
						}
					}
				}
				if len(first) < 8 {
					t.Errorf("%d titles began inside a segment", len(first))
				}
			})
		})
	}
}
