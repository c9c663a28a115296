//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// icecastConfig takes the port, a folder that everybody may write to, and who
// icecast runs as, which must not be root.
const icecastConfig = `<icecast>
<limits><clients>100</clients><sources>2</sources><burst-size>65535</burst-size></limits>
<authentication><source-password>hack</source-password><admin-user>admin</admin-user><admin-password>hack</admin-password></authentication>
<hostname>localhost</hostname><listen-socket><port>%d</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><basedir>%[2]s</basedir><logdir>%[2]s</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
<security><chroot>0</chroot>%[3]s</security></icecast>
`

// play sends a station to live.mp3 of an Icecast, or what takes sources as it does.
func play(t *testing.T, url string) {
	t.Helper()
	start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-i", bareMP3.path(t), "-c", "copy", "-f", "mp3", "-content_type", "audio/mpeg",
		"-ice_name", "Pulled Radio", "-ice_genre", "Test", strings.Replace(url, "http://", "icecast://source:hack@", 1)+"/live.mp3").live()
}

// startIcecast starts an Icecast with a station on the air, and returns what to
// kill and its address.
func startIcecast(t *testing.T) (icecast *process, address string) {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "icecast")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	owner := ""
	if os.Getuid() == 0 {
		owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"
	}
	port := freePort(t)
	config := filepath.Join(dir, "icecast.xml")
	if err := os.WriteFile(config, fmt.Appendf(nil, icecastConfig, port, dir, owner), 0o644); err != nil {
		t.Fatal(err)
	}
	icecast = start(t, "icecast2", "-c", config).live()
	address = fmt.Sprintf("127.0.0.1:%d", port)
	eventually(t, 10*time.Second, "icecast listens", func() error {
		_, _, err := get("http://" + address + "/")
		return err
	})
	play(t, "http://"+address)
	eventually(t, 20*time.Second, "icecast has a source", func() error {
		res, err := http.Get("http://" + address + "/live.mp3")
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != 200 {
			return errNotYet
		}
		return nil
	})
	return icecast, address
}

// TestPull pulls from Icecast with its titles, and from another headwater when
// Icecast has died.
func TestPull(t *testing.T) {
	t.Parallel()
	enter(t)
	backup := serve(t)
	bareMP3.send(t, backup.port)
	icecast, address := startIcecast(t)
	list := filepath.Join(t.TempDir(), "relay.yaml")
	config := fmt.Sprintf("streams:\n  live:\n    pull: ['http://%s/live.mp3.m3u', '%s/live.mp3']\n", address, backup.url)
	if err := os.WriteFile(list, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	backup.ready()
	s := &server{t: t}
	s.launch("--config", list)
	s.ready()
	state := func(want ...string) error {
		_, body, err := get(s.url + "/api/v1/streams/live")
		for _, w := range want {
			if err == nil && !strings.Contains(body, w) {
				err = fmt.Errorf("%q is not in\n%s", w, body)
			}
		}
		return err
	}
	eventually(t, 10*time.Second, "Icecast is pulled from", func() error { return state(address, `"pull"`) })
	admin := "http://admin:hack@" + address + "/admin/metadata?mount=/live.mp3&mode=updinfo&song=" + url.QueryEscape("Fern - Gezogen")
	if status, body, err := get(admin); err != nil || status != 200 {
		t.Fatalf("set a title: %d %v\n%s", status, err, body)
	}
	eventually(t, 15*time.Second, "the title arrives", func() error { return state("Gezogen", "Fern") })
	ffmpegDecodes(t, s.playlist(), false)

	icecast.kill()
	eventually(t, 15*time.Second, "the other headwater is pulled from", func() error {
		return state(strings.TrimPrefix(backup.url, "http://"))
	})
	ffprobeFinds(t, s.url+"/live.mp3", []string{"mp3"})
	ffmpegDecodes(t, s.playlist(), false)
}

// A source on demand runs only while somebody listens, who waits for it.
func TestOnDemand(t *testing.T) {
	t.Parallel()
	enter(t)
	backup := serve(t)
	bareMP3.send(t, backup.port)
	backup.ready()
	config := filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "streams:\n  live:\n    pull: %s/live.mp3\n    on_demand: true\n", backup.url), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t}
	s.launch("--config", config)
	pause(t.Context(), 2*time.Second)
	if text := s.process.output.String(); strings.Contains(text, "source started") {
		t.Errorf("the source was started for nobody:\n%s", text)
	}
	ffprobeFinds(t, s.url+"/live.mp3", []string{"mp3"})
	if text := s.process.output.String(); !strings.Contains(text, "somebody wants the stream") {
		t.Errorf("the log does not tell why the source was started:\n%s", text)
	}
}
