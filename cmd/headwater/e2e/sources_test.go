//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// material is something to send: a file that ffmpeg made, long enough for all
// players of a test to watch it once in real time.
type material struct {
	name   string
	format string   // of the file, as ffmpeg's -f names it
	encode []string // how it is made
	video  bool
	tracks []string // codec names as ffprobe prints them, for TS output

	once sync.Once
	file string
	err  error
}

// timedID3 is the track for titles that is made beside bare sound.
const timedID3 = "timed_id3"

// length of every material.
const length = 6 * time.Minute

// The four kinds of input that every player must play.
var (
	film = &material{
		name: "film", format: "mpegts", video: true, tracks: []string{"h264", "aac"},
		encode: []string{"-f", "lavfi", "-i", "testsrc2=s=256x144:r=25", "-f", "lavfi", "-i", "anoisesrc=c=pink:seed=7:r=48000:a=0.3",
			"-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "3", "-b:v", "200k", "-pix_fmt", "yuv420p",
			"-x264-params", "scenecut=0:open-gop=0", "-c:a", "aac", "-b:a", "96k", "-ac", "2"},
	}
	soundInTS = &material{
		name: "MP3 in TS", format: "mpegts", tracks: []string{"mp3"},
		encode: []string{"-f", "lavfi", "-i", "anoisesrc=c=pink:seed=7:r=44100:a=0.3", "-c:a", "libmp3lame", "-b:a", "128k", "-ac", "2"},
	}
	bareMP3 = &material{
		name: "bare MP3", format: "mp3", tracks: []string{"mp3", timedID3},
		encode: []string{"-f", "lavfi", "-i", "anoisesrc=c=pink:seed=7:r=44100:a=0.3", "-c:a", "libmp3lame", "-b:a", "128k", "-ac", "2"},
	}
	bareAAC = &material{
		name: "bare AAC", format: "adts", tracks: []string{"aac", timedID3},
		encode: []string{"-f", "lavfi", "-i", "anoisesrc=c=pink:seed=7:r=44100:a=0.3", "-c:a", "aac", "-b:a", "96k", "-ac", "2"},
	}
	materials = []*material{film, soundInTS, bareMP3, bareAAC}
)

// path makes the file once and returns it.
func (m *material) path(t *testing.T) string {
	t.Helper()
	m.once.Do(func() {
		m.file = filepath.Join(scratch, strings.ReplaceAll(m.name, " ", "-")+"."+m.format)
		args := append([]string{"-v", "error", "-nostdin"}, m.encode...)
		args = append(args, "-t", fmt.Sprint(length.Seconds()), "-f", m.format, m.file)
		if r := run(t, 3*time.Minute, "ffmpeg", args...); r.err != nil {
			m.err = fmt.Errorf("make %s: %w\n%s", m.name, r.err, r.stderr)
		}
	})
	if m.err != nil {
		t.Fatal(m.err)
	}
	if _, err := os.Stat(m.file); err != nil {
		t.Fatal(err)
	}
	return m.file
}

// send sends the file in real time to a TCP port of this machine, as it is.
func (m *material) send(t *testing.T, port int) *process {
	t.Helper()
	return start(t, "ffmpeg", m.sender(t, fmt.Sprintf("tcp://127.0.0.1:%d", port))...).live()
}

// listen waits on a TCP port for somebody to send the file to.
func (m *material) listen(t *testing.T, port int) *process {
	t.Helper()
	return start(t, "ffmpeg", m.sender(t, fmt.Sprintf("tcp://127.0.0.1:%d?listen=1", port))...).live()
}

func (m *material) sender(t *testing.T, to string) []string {
	return []string{"-v", "error", "-nostdin", "-re", "-i", m.path(t), "-c", "copy", "-f", m.format, to}
}

// pipeline is a GStreamer source; %d stands for the port.
type pipeline struct {
	name   string
	launch string
	video  bool
	tracks []string
}

// sink sends a pipeline's output; serverSink waits for headwater to fetch it.
const (
	sink       = " ! tcpclientsink host=127.0.0.1 port=%d"
	serverSink = " ! tcpserversink host=127.0.0.1 port=%d"
)

// pipelines are lines that people type. The first has been typed since 2009,
// with alsasrc for audiotestsrc.
func pipelines() []pipeline {
	const sound = "audiotestsrc is-live=true ! audioconvert ! "
	return []pipeline{
		{name: "MP3 in TS", launch: sound + "lamemp3enc ! mpegaudioparse ! mpegtsmux" + sink, tracks: []string{"mp3"}},
		{name: "bare MP3", launch: sound + "lamemp3enc ! mpegaudioparse" + sink, tracks: []string{"mp3", timedID3}},
		{name: "AAC in TS", launch: sound + "avenc_aac ! aacparse ! mpegtsmux" + sink, tracks: []string{"aac"}},
		{name: "bare AAC", launch: sound + "voaacenc ! aacparse ! audio/mpeg,stream-format=adts" + sink, tracks: []string{"aac", timedID3}},
		{name: "film", video: true, tracks: []string{"h264", "aac"},
			launch: "mpegtsmux name=mux" + sink +
				" videotestsrc is-live=true ! video/x-raw,width=256,height=144,framerate=25/1 ! x264enc speed-preset=veryfast key-int-max=50 bitrate=300 ! h264parse ! mux." +
				" audiotestsrc is-live=true ! audioconvert ! voaacenc ! aacparse ! mux."},
	}
}

// start runs the pipeline with its sink on port.
func (p pipeline) start(t *testing.T, port int) *process {
	t.Helper()
	line := fmt.Sprintf(p.launch, port)
	return start(t, "gst-launch-1.0", append([]string{"-q"}, strings.Fields(line)...)...).live()
}
