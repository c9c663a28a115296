//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// publisher is a headwater that takes any stream below test/ over HTTP, and
// "live" over SHOUTcast's protocol.
type publisher struct {
	*server
	shoutcast int
}

func startPublisher(t *testing.T) publisher {
	t.Helper()
	p := publisher{&server{t: t}, freePort(t)}
	p.port = freePort(t)
	file := filepath.Join(t.TempDir(), "headwater.yaml")
	text := fmt.Sprintf("source_password: hackme\nadmin_password: king\nstreams:\n  test/*: {}\n  live: {shoutcast: '127.0.0.1:%d', tcp: '127.0.0.1:%d', takeover: true}\n", p.shoutcast, p.port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.launch("--config", file)
	return p
}

// httpPort returns the port that players connect to.
func (p publisher) httpPort() string { return p.url[strings.LastIndexByte(p.url, ':')+1:] }

// sh starts a command line.
func sh(t *testing.T, line string) *process {
	t.Helper()
	for name := range strings.SplitSeq(line, "|") {
		program(t, strings.Fields(name)[0])
	}
	return startCommand(t, exec.Command(program(t, "sh"), "-c", line)).live()
}

// title returns the newest title of a stream, "" if it has none.
func (p publisher) title(stream string) (string, error) {
	_, body, err := get(p.url + "/api/v1/titles/" + stream)
	if err != nil {
		return "", err
	}
	var list struct{ Titles []struct{ Text string } }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Titles) == 0 {
		return "", err
	}
	return list.Titles[0].Text, nil
}

// TestPublish has each source client that people use send a stream to a listener
// (hls-rules F10-F12, F16, F17).
func TestPublish(t *testing.T) {
	t.Parallel()
	p := startPublisher(t)
	tone := filepath.Join(t.TempDir(), "tone.mp3")
	run(t, limit, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440", "-t", "40", "-c:a", "libmp3lame", "-b:a", "128k",
		"-metadata", "artist=Nina Simone", "-metadata", "title=Sinnerman", tone).must(t)
	const sine = "ffmpeg -v error -re -f lavfi -i sine=440 "
	const icecast = " icecast://source:hackme@127.0.0.1:HTTP/NAME"
	const put = " -u source:hackme http://127.0.0.1:HTTP/NAME"
	ezstream := func(protocol string, port int, name, tls string) string {
		file := filepath.Join(t.TempDir(), name+".xml")
		text := fmt.Sprintf(`<ezstream><servers><server><protocol>%s</protocol><hostname>127.0.0.1</hostname><port>%d</port><password>hackme</password><tls>%s</tls></server></servers>
<streams><stream><mountpoint>/test/%s</mountpoint><format>MP3</format></stream></streams><intakes><intake><filename>%s</filename></intake></intakes></ezstream>`, protocol, port, tls, name, tone)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "ezstream -c " + file
	}
	web := 0
	fmt.Sscan(p.httpPort(), &web)
	liquidsoap := filepath.Join(t.TempDir(), "radio.liq")
	script := fmt.Sprintf("settings.init.allow_root.set(true)\noutput.icecast(%%mp3, host=\"127.0.0.1\", port=%d, password=\"hackme\", mount=\"test/liquidsoap\", mksafe(single(%q)))\n", web, tone)
	if err := os.WriteFile(liquidsoap, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, line, suffix string
		stream, title      string // "" for its own name, and for none
	}{
		{"ffmpeg", sine + "-c:a libmp3lame -content_type audio/mpeg -f mp3" + icecast, ".mp3", "", ""},
		{"ffmpeg-legacy", sine + "-c:a aac -legacy_icecast 1 -content_type audio/aac -f adts" + icecast + ".aac", ".aac", "", ""},
		{"ffmpeg-ts", sine + "-c:a aac -content_type video/mp2t -f mpegts" + icecast + ".ts", ".ts", "", ""},
		{"ffmpeg-to-raw-port", sine + "-c:a libmp3lame -content_type audio/mpeg -f mp3 icecast://source:hackme@127.0.0.1:TCP/NAME", ".mp3", "", ""},
		{"curl", sine + "-c:a libmp3lame -f mp3 - | curl -sS -T -" + put, ".mp3", "", ""},
		{"curl-without-expect", sine + "-c:a libmp3lame -f mp3 - | curl -sS -X POST -H Expect: -T -" + put, ".mp3", "", ""},
		{"sox", sine + "-f wav - | sox -V1 -t wav --ignore-length - -t mp3 -C 128 - | curl -sS -T -" + put, ".mp3", "", ""},
		{"gstreamer", "gst-launch-1.0 -q audiotestsrc is-live=true ! audioconvert ! lamemp3enc ! shout2send ip=127.0.0.1 port=HTTP password=hackme mount=/NAME", ".mp3", "", ""},
		{"ezstream", ezstream("HTTP", web, "ezstream", "none"), ".mp3", "", "Nina Simone - Sinnerman"},
		{"ezstream-tls", ezstream("HTTP", web, "ezstream-tls", "may"), ".mp3", "", "Nina Simone - Sinnerman"}, // it asks before
		{"ezstream-icy", ezstream("ICY", p.shoutcast-1, "ezstream-icy", "none"), ".mp3", "live", ""},          // libshout adds one
		{"liquidsoap", "liquidsoap " + liquidsoap, ".mp3", "", "Nina Simone - Sinnerman"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enter(t)
			stream := "test/" + tt.name
			if tt.stream != "" {
				stream = tt.stream
			}
			sh(t, strings.NewReplacer("HTTP", p.httpPort(), "TCP", fmt.Sprint(p.port), "NAME", stream).Replace(tt.line))
			eventually(t, limit, "the stream is there", func() error {
				_, body, err := get(p.url + "/api/v1/streams/" + stream)
				if err == nil && !strings.Contains(body, `"source":{`) {
					err = fmt.Errorf("it has no source: %s", body)
				}
				return err
			})
			run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-t", "4", "-i", p.url+"/"+stream+tt.suffix, "-f", "null", "-").must(t)
			eventually(t, limit, "the title is there", func() error {
				if got, err := p.title(stream); err != nil || tt.title != "" && got != tt.title {
					return fmt.Errorf("the title is %q, %v, want %q", got, err, tt.title)
				}
				return nil
			})
		})
	}
}

// TestPublishTurns has sources follow each other on one stream while a listener
// stays, with a SHOUTcast source by hand; and titles set by curl (hls-rules F13-F16).
func TestPublishTurns(t *testing.T) {
	t.Parallel()
	enter(t)
	p := startPublisher(t)
	media := run(t, limit, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440", "-t", "60", "-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3", "-").must(t).stdout
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.shoutcast))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "hackme\r\n")
	answer := make([]byte, len("OK2\r\nicy-caps:11\r\n\r\n"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "OK2\r\nicy-caps:11\r\n\r\n" {
		t.Fatalf("the password was answered %q, %v", answer, err)
	}
	fmt.Fprintf(conn, "icy-name:By hand\r\nicy-pub:0\r\n\r\n")
	go func() {
		for rest := []byte(media); len(rest) > 4000; rest = rest[4000:] {
			if _, err := conn.Write(rest[:4000]); err != nil {
				return // it was taken over
			}
			time.Sleep(250 * time.Millisecond)
		}
	}()
	eventually(t, limit, "the stream is there", func() error { return p.head("/live.mp3", 200) })
	listener := start(t, "curl", "-sS", "-o", filepath.Join(t.TempDir(), "heard"), p.url+"/live.mp3").live()
	for _, tt := range []struct{ url, want string }{
		{fmt.Sprintf("http://127.0.0.1:%d/admin.cgi?pass=hackme&mode=updinfo&song=A+-+B", p.shoutcast), "A - B"},
		{p.url + "/admin.cgi?pass=hackme&mode=updinfo&song=F%FCr&mount=/live", "Für"},
		{"-u source:hackme " + p.url + "/admin/metadata?mode=updinfo&mount=/live&artist=C&title=D", "C - D"},
		{`-u admin:king -T - ` + p.url + "/api/v1/titles/live", "E - F"},
	} {
		cmd := exec.Command(program(t, "curl"), append([]string{"-sSf", "-A", "Mozilla"}, strings.Fields(tt.url)...)...)
		cmd.Stdin = strings.NewReader(`{"artist": "E", "title": "F"}`)
		runCommand(t, limit, cmd).must(t)
		eventually(t, limit, "the title is there", func() error {
			if got, err := p.title("live"); err != nil || got != tt.want {
				return fmt.Errorf("the title is %q, %v, want %q", got, err, tt.want)
			}
			return nil
		})
	}
	sh(t, "ffmpeg -v error -re -f lavfi -i sine=880 -c:a libmp3lame -b:a 128k -content_type audio/mpeg -f mp3 icecast://source:hackme@127.0.0.1:"+p.httpPort()+"/live")
	eventually(t, limit, "the stream is taken over", func() error {
		_, body, err := get(p.url + "/api/v1/streams/live")
		if err == nil && !strings.Contains(body, `"kind":"icecast"`) {
			err = fmt.Errorf("its source is another: %s", body)
		}
		return err
	})
	time.Sleep(2 * time.Second) // of media
	if listener.ended() {
		t.Errorf("the listener was sent away: %s", listener.output.String())
	}
}

// TestReadmePublish runs what the README says about sending with a password, as
// it stands there but for ports, names of files, and the sound card.
func TestReadmePublish(t *testing.T) {
	t.Parallel()
	enter(t)
	var senders, titles []string
	serve := ""
	for line := range strings.Lines(strings.ReplaceAll(section(t, "Sending with a password"), " \\\n", " ")) {
		switch name, _, _ := strings.Cut(line, " "); name {
		case "bin/headwater":
			serve = strings.TrimSpace(line)
		case "curl":
			titles = append(titles, strings.TrimSpace(line))
		default:
			senders = append(senders, strings.TrimSpace(line))
		}
	}
	if len(senders) < 4 || len(titles) < 2 || serve == "" {
		t.Fatalf("the section has %q, %q and %q", serve, senders, titles)
	}
	s, shoutcast := &server{t: t}, freePort(t)
	s.launch(strings.Fields(strings.NewReplacer("bin/headwater serve", "", ":8081", fmt.Sprint("127.0.0.1:", shoutcast)).Replace(serve))...)
	web := s.url[strings.LastIndexByte(s.url, ':')+1:]
	for _, line := range senders {
		line = strings.NewReplacer("FILE", film.path(t), "8080", web,
			"sox -d ", "ffmpeg -v error -re -f lavfi -i sine=440 -f wav - | sox -V1 --ignore-length -t wav - ",
			"liquidsoap '", "liquidsoap 'settings.init.allow_root.set(true) ").Replace(line)
		source := sh(t, line)
		eventually(t, limit, line, func() error { return s.head("/live.mp3", 200) })
		run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-t", "2", "-i", s.url+"/live.mp3", "-f", "null", "-").must(t)
		for _, title := range titles {
			runCommand(t, limit, exec.Command("sh", "-c", strings.ReplaceAll(title, "8080", web))).must(t)
		}
		source.kill()
		eventually(t, limit, "the source is gone", func() error {
			if _, body, err := get(s.url + "/api/v1/streams/live"); err != nil || strings.Contains(body, `"source":{`) {
				return fmt.Errorf("it is there: %v", err)
			}
			return nil
		})
	}
	if got, err := (publisher{server: s}).title("live"); err != nil || got != "Nina Simone - Sinnerman" {
		t.Errorf("the title is %q, %v", got, err)
	}
}
