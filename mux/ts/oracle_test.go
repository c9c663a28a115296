package ts_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/ts"
)

// TestDemuxerAgainstFFprobe compares times and random access points of files
// that encoders made with what ffprobe reads in them.
func TestDemuxerAgainstFFprobe(t *testing.T) {
	const (
		picture = "-f lavfi -i testsrc2=size=320x240:rate=30000/1001 "
		sound   = "-f lavfi -i sine=1000:sample_rate=44100 "
	)
	tests := []struct {
		name    string
		command string
	}{
		{"H.264 with B-frames and AAC", "ffmpeg " + picture + sound + "-t 4 -c:v libx264 -preset veryfast -g 30 -bf 3 -c:a aac"},
		{"H.264 open GOP and MP3", "ffmpeg " + picture + sound + "-t 4 -c:v libx264 -preset veryfast -g 30 -bf 3 -flags -cgop -x264-params open-gop=1 -c:a libmp3lame"},
		{"H.264 in slices, constant rate with stuffing", "ffmpeg " + picture + sound + "-t 4 -c:v libx264 -preset veryfast -b:v 400k -g 30 -x264-params slices=4:nal-hrd=cbr:vbv-maxrate=400:vbv-bufsize=400 -c:a aac -muxrate 1000k"},
		{"interlaced H.264", "ffmpeg " + picture + sound + "-t 4 -c:v libx264 -preset veryfast -flags +ildct+ilme -g 30 -bf 2 -c:a aac"},
		{"MPEG-2 video and MP2", "ffmpeg " + picture + sound + "-t 4 -c:v mpeg2video -g 15 -bf 2 -flags +cgop -sc_threshold 1000000000 -c:a mp2"},
		{"HEVC", "ffmpeg " + picture + sound + "-t 3 -c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=20:min-keyint=20:bframes=2 -c:a aac"},
		{"MP3 only", "ffmpeg " + sound + "-t 4 -c:a libmp3lame"},
		{"AC-3 only", "ffmpeg " + sound + "-t 4 -c:a ac3"},
		{"GStreamer, H.264 with B-frames and AAC", "gst-launch-1.0 -q mpegtsmux name=mux ! filesink location=OUT " +
			"videotestsrc num-buffers=100 ! video/x-raw,width=320,height=240,framerate=25/1 ! x264enc bframes=2 b-adapt=false key-int-max=25 ! h264parse ! mux. " +
			"audiotestsrc num-buffers=170 ! audio/x-raw,rate=44100 ! avenc_aac ! aacparse ! mux."},
		{"GStreamer, MP3 only", "gst-launch-1.0 -q audiotestsrc num-buffers=170 ! audio/x-raw,rate=44100 ! lamemp3enc ! mpegaudioparse ! mpegtsmux ! filesink location=OUT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "out.ts")
			run(t, tt.command, file)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			units := demux(t, ts.NewDemuxer(ts.Options{}), data, whole)
			if len(units) == 0 {
				t.Fatal("no units")
			}
			for i, track := range units[len(units)-1].Program.Tracks {
				comparePackets(t, &track, ofTrack(units, i), probe(t, file, track.PID))
			}
		})
	}
}

// run runs an encoder that writes to file.
func run(t *testing.T, command, file string) {
	t.Helper()
	args := strings.Fields(strings.ReplaceAll(command, "OUT", file))
	if args[0] == "ffmpeg" {
		args = append(args, "-v", "error", "-f", "mpegts", "-y", file)
	}
	need(t, args[0])
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// need skips the test if a program is not installed, but where everything has to be.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// packet is what ffprobe says of one.
type packet struct {
	pts, dts mux.Ticks
	key      bool
}

// probe returns ffprobe's packets of a PID.
func probe(t *testing.T, file string, pid mux.PID) []packet {
	t.Helper()
	need(t, "ffprobe")
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "i:"+strconv.Itoa(int(pid)), "-of", "csv=p=0",
		"-show_entries", "packet=pts,dts,flags", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(out))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var packets []packet
	for _, row := range rows {
		pts, err1 := strconv.Atoi(row[0])
		dts, err2 := strconv.Atoi(row[1])
		if err1 != nil || err2 != nil {
			t.Fatalf("ffprobe says %q", row)
		}
		packets = append(packets, packet{mux.Ticks(pts), mux.Ticks(dts), strings.HasPrefix(row[2], "K")})
	}
	return packets
}

func comparePackets(t *testing.T, track *mux.Track, units []*mux.Unit, want []packet) {
	t.Helper()
	var got []packet
	for _, u := range units {
		if u.Damaged || u.Untimed {
			t.Errorf("%v: unit at %d: damaged %t, untimed %t", track.Codec, u.PTS, u.Damaged, u.Untimed)
		}
		if !track.Codec.Framed() {
			got = append(got, packet{u.PTS, u.DTS, u.Access != mux.AccessNone})
			continue
		}
		for _, f := range u.Frames {
			got = append(got, packet{f.PTS, f.PTS, true})
		}
	}
	tolerance := mux.Ticks(0)
	if track.Codec.Audio() {
		tolerance = 1 // ffprobe counts on in another rounding
	}
	if track.Codec.Audio() && !track.Codec.Framed() { // ffprobe splits PES packets: look at their first frames
		got, want = got[:1], want[:1]
	}
	if len(got) != len(want) {
		t.Fatalf("%v: %d packets, ffprobe has %d", track.Codec, len(got), len(want))
	}
	for i, g := range got {
		if w := want[i]; g.key != w.key || apart(g.pts, w.pts) > tolerance || apart(g.dts, w.dts) > tolerance {
			t.Fatalf("%v: packet %d = %+v, ffprobe says %+v", track.Codec, i, g, w)
		}
	}
	if !track.Parameters.Known() && track.Codec.Audio() {
		t.Errorf("%v: parameters are not known", track.Codec)
	}
}

func apart(a, b mux.Ticks) mux.Ticks { return max(a-b, b-a) }
