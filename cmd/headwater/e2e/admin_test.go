//go:build e2e

package e2e_test

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// elements returns the paths of all elements and attributes of some XML, each
// once.
func elements(t *testing.T, text string) (paths []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	at := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			slices.Sort(paths)
			return slices.Compact(paths)
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch e := token.(type) {
		case xml.StartElement:
			at += "/" + e.Name.Local
			paths = append(paths, at)
			for _, a := range e.Attr {
				paths = append(paths, at+"@"+a.Name.Local)
			}
		case xml.EndElement:
			at = at[:strings.LastIndexByte(at, '/')]
		}
	}
}

// keys returns the names in the icestats of status-json.xsl, and in its source.
func keys(t *testing.T, text string) (names []string) {
	t.Helper()
	var status struct {
		Stats map[string]any `json:"icestats"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for name := range status.Stats {
		names = append(names, name)
	}
	source, _ := status.Stats["source"].(map[string]any)
	for name := range source {
		names = append(names, "source/"+name)
	}
	slices.Sort(names)
	return names
}

// lacking returns what is in want and not in got.
func lacking(got, want []string) (names []string) {
	for _, name := range want {
		if !slices.Contains(got, name) {
			names = append(names, name)
		}
	}
	return names
}

// curl returns what curl gets.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, 20*time.Second, "curl", append([]string{"-sSf", "-m", "10"}, args...)...).must(t).stdout
}

// The same source and listener at Icecast and here: what Icecast answers to its
// admin commands has no element that is missing here, and they do the same.
func TestIcecastAdmin(t *testing.T) {
	t.Parallel()
	_, icecast := startIcecast(t)
	s := serveConfig(t, fmt.Sprintf("source_password: hack\nadmin_password: hack\nstreams: {live: {tcp: '127.0.0.1:%d'}}\n", freePort(t)))
	servers := []string{"http://" + icecast, s.url} // as it is and as we are
	play(t, s.url)
	const mount = "mount=/live.mp3"
	var listeners []*process
	for _, url := range servers {
		eventually(t, 20*time.Second, "the source plays at "+url, func() error {
			if !strings.Contains(curl(t, url+"/status-json.xsl"), "/live.mp3") {
				return errNotYet
			}
			return nil
		})
		listeners = append(listeners, start(t, "curl", "-sS", "-A", "a listener", "-o", os.DevNull, url+"/live.mp3"))
		curl(t, "-u", "admin:hack", url+"/admin/metadata?"+mount+"&mode=updinfo&song=Art+-+Tit")
		eventually(t, 20*time.Second, "the listener is known at "+url, func() error {
			status := curl(t, url+"/status-json.xsl")
			if !strings.Contains(status, `"listeners":1`) || !strings.Contains(status, `"title":"Art - Tit"`) {
				return fmt.Errorf("%s", status)
			}
			return nil
		})
	}
	if missing := lacking(keys(t, curl(t, s.url+"/status-json.xsl")), keys(t, curl(t, servers[0]+"/status-json.xsl"))); len(missing) > 0 {
		t.Errorf("status-json.xsl lacks %v", missing)
	}
	for _, command := range []string{"stats", "listmounts", "listclients?" + mount, "killclient?id=99&" + mount} {
		var answers [2]string
		for i, url := range servers {
			answers[i] = curl(t, "-u", "admin:hack", url+"/admin/"+command)
		}
		if missing := lacking(elements(t, answers[1]), elements(t, answers[0])); len(missing) > 0 {
			t.Errorf("%s lacks %v:\n%s", command, missing, answers[1])
		}
	}
	for i, url := range servers {
		ids := found(`<ID>(\d+)</ID>`, curl(t, "-u", "admin:hack", url+"/admin/listclients?"+mount))
		if len(ids) != 1 {
			t.Fatalf("%s has the listeners %v, want one", url, ids)
		}
		curl(t, "-u", "admin:hack", url+"/admin/killclient?"+mount+"&id="+ids[0])
		if err := listeners[i].wait(10 * time.Second); err != nil {
			t.Errorf("the listener of %s ended with %v: %s", url, err, listeners[i].output.String())
		}
		curl(t, "-u", "admin:hack", url+"/admin/killsource?"+mount)
		eventually(t, 10*time.Second, "the source has gone from "+url, func() error {
			if strings.Contains(curl(t, url+"/status-json.xsl"), "/live.mp3") {
				return errNotYet
			}
			return nil
		})
	}
	if out := run(t, 10*time.Second, "curl", "-sSf", s.url+"/admin/stats"); out.err == nil || !strings.Contains(out.stderr, "401") {
		t.Errorf("without a password /admin/stats answers %v %s", out.err, out.stderr)
	}
}

// Tokens of the command let players play HLS and the continuous output, and
// hooks are told.
func TestTokensAndHooks(t *testing.T) {
	t.Parallel()
	enter(t)
	dir := t.TempDir()
	script, told := filepath.Join(dir, "hook"), filepath.Join(dir, "told")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho $HEADWATER_EVENT $HEADWATER_STREAM >>"+told+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of many characters"
	port := freePort(t)
	config := fmt.Sprintf("token_secret: %s\nhooks: {all: %s}\nstreams: {live: {tcp: '127.0.0.1:%d', listener_tokens: true, publish_after: 1}}\n", secret, script, port)
	s := serveConfig(t, config)
	tone(t, 440, port)
	token := strings.TrimSpace(run(t, 10*time.Second, headwater, "token", "live", "--for", "10m", "--config", writeText(t, "token_secret: "+secret+"\n")).must(t).stdout)
	below := s.url + "/t/" + token
	eventually(t, 30*time.Second, "HLS with a token", func() error {
		return s.status("/t/"+token+"/live/main.m3u8", 200)
	})
	if err := s.status("/live/main.m3u8", 403); err != nil {
		t.Error(err)
	}
	for _, url := range []string{below + "/live.m3u8", s.url + "/live.m3u8?token=" + token, below + "/live.mp3", s.url + "/live.mp3?token=" + token} {
		run(t, 30*time.Second, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", url, "-t", "2", "-f", "null", "-").must(t)
	}
	start(t, "curl", "-sS", "-o", os.DevNull, below+"/live.mp3")
	eventually(t, 10*time.Second, "the hooks are told", func() error {
		text, err := os.ReadFile(told)
		if err != nil {
			return err
		}
		for _, want := range []string{"source_connected live", "stream_appeared live", "listeners live"} {
			if !strings.Contains(string(text), want) {
				return fmt.Errorf("%q has no %q", text, want)
			}
		}
		return nil
	})
}

func writeText(t *testing.T, text string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// 5,000 listeners that vanish at once, half of them without a word, leave
// nothing behind: no listener, no file, no goroutine.
func TestListenersVanish(t *testing.T) {
	t.Parallel()
	const crowd = 5000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < crowd+1000 {
		t.Fatalf("%d files may be open, %v: too few for %d listeners", limit.Cur, err, crowd)
	}
	debug := freePort(t)
	s := serve(t, "--pprof", fmt.Sprintf("127.0.0.1:%d", debug))
	tone(t, 440, s.port)
	eventually(t, 30*time.Second, "there is sound", func() error { return s.head("/live.mp3", 200) })
	m := &soak{t: t, server: s, debug: fmt.Sprintf("http://127.0.0.1:%d", debug)}
	before := m.measure()

	address := strings.TrimPrefix(s.url, "http://")
	conns := make([]net.Conn, crowd)
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /live.mp3 HTTP/1.0\r\nUser-Agent: crowd\r\nIcy-MetaData: 1\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
	}
	listening := func() int {
		_, body, err := get(s.url + "/api/v1/stats")
		if err != nil {
			t.Fatal(err)
		}
		return number(t, body, `"listeners":(\d+)`)
	}
	eventually(t, 30*time.Second, "all listen", func() error {
		if n := listening(); n != crowd {
			return fmt.Errorf("%d of %d", n, crowd)
		}
		return nil
	})
	for _, c := range conns[:10] {
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
			t.Fatalf("a listener got %q, %v", line, err)
		}
	}
	for i, c := range conns {
		if i%2 == 0 {
			c.(*net.TCPConn).SetLinger(0) // a reset
		}
		c.Close()
	}
	eventually(t, 20*time.Second, "they have gone", func() error {
		if n := listening(); n != 0 {
			return fmt.Errorf("%d are left", n)
		}
		after := m.measure()
		if after.goroutines > before.goroutines+noiseGoroutines || after.files > before.files+noiseFiles {
			return fmt.Errorf("there are %d goroutines and %d files, and were %d and %d", after.goroutines, after.files, before.goroutines, before.files)
		}
		return nil
	})
	run(t, 20*time.Second, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", s.url+"/live.mp3", "-t", "1", "-f", "null", "-").must(t)
}
