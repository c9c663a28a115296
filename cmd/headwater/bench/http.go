package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The server under test has one CPU for itself, the load the other one.
const (
	serverCPU   = 0
	loadCPU     = 1
	connections = 32
	loadFor     = 2 * time.Second
)

// measureHTTP compares the answers to playlist and segment requests with those
// of nginx, which serves the same bytes as static files.
func (b *bench) measureHTTP(ctx context.Context) error {
	const what = "HTTP requests on one core, beside nginx"
	for _, name := range []string{"wrk", "taskset"} {
		if find(name) == "" {
			b.table.lacking(what, name)
			return nil
		}
	}
	peer, err := b.startNginx(ctx)
	if err != nil {
		return err
	}
	if peer == nil {
		b.table.lacking(what, "nginx")
	} else {
		defer peer.stop()
	}
	b.say("HTTP, %d rounds of %v each", b.repeats, loadFor)
	for _, data := range []string{filepath.Join(b.dir, "http"), ""} {
		if err := b.load(ctx, peer, data); err != nil {
			return err
		}
	}
	return nil
}

// load measures one headwater, which stores its segments in the folder data.
func (b *bench) load(ctx context.Context, peer *nginx, data string) error {
	o, err := b.serve(ctx, func(name string, args ...string) *exec.Cmd {
		cmd := pinned(ctx, serverCPU, name, args...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		return cmd
	}, 1, data)
	if err != nil {
		return err
	}
	defer o.stop()
	source, err := b.feed(ctx, o, 65*time.Second)
	if err != nil {
		return err
	}
	defer source.stop()
	playlist := o.url + "/s0/main.m3u8"
	if err := eventually(ctx, time.Minute, "the playlist is there", func() error { return answers(ctx, playlist) }); err != nil {
		return err
	}
	if err := sleep(ctx, time.Second); err != nil { // the rest of what was sent at once
		return err
	}
	if data == "" {
		return b.race(ctx, peer, contest{"segment from memory", 0.9, "memory.ts", o.segment, "", o.process})
	}
	for _, c := range []contest{
		{"playlist, identity", 1, "identity.m3u8", func(context.Context) (string, error) { return playlist, nil }, "", o.process},
		{"playlist, gzip", 1, "gzip.m3u8", func(context.Context) (string, error) { return playlist, nil }, "gzip", o.process},
		{"segment from the store", 0.9, "store.ts", o.segment, "", o.process},
	} {
		if err := b.race(ctx, peer, c); err != nil {
			return err
		}
	}
	return nil
}

// segment returns the URL of a segment of 6 s that will not expire soon.
func (o *origin) segment(ctx context.Context) (string, error) {
	body, err := fetch(ctx, o.url+"/s0/main.m3u8", "")
	if err != nil {
		return "", err
	}
	last := ""
	for line := range strings.Lines(string(body)) {
		if !strings.HasPrefix(line, "#") {
			last = strings.TrimSpace(line)
		}
	}
	if last == "" {
		return "", errors.New("the playlist lists no segment")
	}
	if strings.HasPrefix(last, "/") {
		return o.url + last, nil
	}
	return o.url + "/s0/" + last, nil
}

// fetch returns the body of url as it is sent.
func fetch(ctx context.Context, url, encoding string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", encoding) // keeps the client from decoding
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return io.ReadAll(res.Body)
}

// contest is one thing that both servers are asked for.
type contest struct {
	name     string
	least    float64 // times nginx that is wanted
	file     string  // name of nginx's copy; another one for each contest
	url      func(ctx context.Context) (string, error)
	encoding string // Accept-Encoding
	server   *process
}

// race asks headwater and nginx in turns.
func (b *bench) race(ctx context.Context, peer *nginx, c contest) error {
	url, err := c.url(ctx)
	if err != nil {
		return err
	}
	body, err := fetch(ctx, url, c.encoding)
	if err != nil {
		return err
	}
	if peer != nil {
		if err := peer.put(c.file, c.encoding, body); err != nil {
			return err
		}
	}
	var ours, theirs speed
	for range b.repeats {
		if err := ours.measure(ctx, c.server, url, c.encoding); err != nil {
			return err
		}
		if peer == nil {
			continue
		}
		if err := theirs.measure(ctx, peer.process, peer.url+c.file, c.encoding); err != nil {
			return err
		}
	}
	r := row{what: fmt.Sprintf("%s, %d bytes", c.name, len(body)), limit: fmt.Sprintf(">= %.3g x nginx", c.least), measured: ours.String()}
	if peer != nil {
		ratio := ours.rate.median() / theirs.rate.median()
		r.measured += ", nginx " + theirs.String()
		r.ratio, r.verdict = fmt.Sprintf("%.2f x", ratio), judge(ratio >= c.least)
	}
	b.table.add(r)
	if c.least < 1 { // a segment, whose bytes are what it takes
		most, err := loopback(ctx)
		if err != nil {
			return err
		}
		got := ours.rate.median() * float64(len(body))
		b.table.add(row{"  bytes a second, beside bare TCP on loopback", ">= 0.7 x", fmt.Sprintf("%.2f GB/s, bare %.2f GB/s", got/1e9, most/1e9),
			fmt.Sprintf("%.2f x", got/most), judge(got/most >= 0.7)})
	}
	r = row{what: "  its CPU time for a request", measured: fmt.Sprintf("%.1f us", ours.cpu.median())}
	if peer != nil {
		r.measured += fmt.Sprintf(", nginx %.1f us", theirs.cpu.median())
		r.ratio = fmt.Sprintf("%.2f x", theirs.cpu.median()/ours.cpu.median())
	}
	b.table.add(r)
	return nil
}

// speed is how fast a server answers.
type speed struct {
	rate sample // requests a second
	// cpu is the server's CPU time for a request in microseconds. It says more
	// than the rate where the load, or another program, keeps the server waiting.
	cpu sample
}

// measure adds one run of wrk against url, which p serves.
func (s *speed) measure(ctx context.Context, p *process, url, encoding string) error {
	before, err := p.cpu()
	if err != nil {
		return err
	}
	n, rate, err := wrk(ctx, url, encoding)
	if err != nil {
		return err
	}
	after, err := p.cpu()
	if err != nil {
		return err
	}
	s.rate = append(s.rate, rate)
	s.cpu = append(s.cpu, 1e6*(after-before).Seconds()/max(n, 1))
	return nil
}

func (s *speed) String() string {
	return fmt.Sprintf("%.0f/s %s", s.rate.median(), s.rate.spread("%.0f"))
}

var (
	requestCount      = regexp.MustCompile(`(\d+) requests in`)
	requestsPerSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
)

// wrk asks for url for a while. It returns how many requests were answered,
// and how many a second that were.
func wrk(ctx context.Context, url, encoding string) (n, rate float64, err error) {
	args := []string{"-t1", "-c" + strconv.Itoa(connections), "-d" + loadFor.String(), url}
	if encoding != "" {
		args = append([]string{"-H", "Accept-Encoding: " + encoding}, args...)
	}
	cmd := pinned(ctx, loadCPU, "wrk", args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := finish(cmd); err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(out.String()) {
		// Timeouts are none: they come of a busy machine.
		if strings.Contains(line, "Non-2xx") || strings.Contains(line, "Socket errors") && !strings.Contains(line, "connect 0, read 0, write 0") {
			return 0, 0, fmt.Errorf("wrk %s: %s", url, strings.TrimSpace(line))
		}
	}
	for _, f := range []struct {
		pattern *regexp.Regexp
		to      *float64
	}{{requestCount, &n}, {requestsPerSecond, &rate}} {
		found := f.pattern.FindStringSubmatch(out.String())
		if found == nil {
			return 0, 0, fmt.Errorf("wrk %s says nothing of requests: %s", url, out.String())
		}
		if *f.to, err = strconv.ParseFloat(found[1], 64); err != nil {
			return 0, 0, err
		}
	}
	return n, rate, nil
}

// nginx is the peer for static files.
type nginx struct {
	*process
	url    string // ends with a slash
	folder string
}

const nginxConf = `daemon off;
master_process off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	default_type application/octet-stream;
	gzip_static on;
	open_file_cache max=100 inactive=1h;
	open_file_cache_valid 1h;
	server { listen 127.0.0.1:%[2]d; root %[1]s; }
}
`

// startNginx returns nil if nginx is not installed.
func (b *bench) startNginx(ctx context.Context) (*nginx, error) {
	path := find("nginx")
	if path == "" {
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	n := &nginx{url: fmt.Sprintf("http://127.0.0.1:%d/", port), folder: filepath.Join(b.dir, "nginx")}
	if err := os.Mkdir(n.folder, 0o755); err != nil {
		return nil, err
	}
	conf := filepath.Join(n.folder, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, n.folder, port), 0o644); err != nil {
		return nil, err
	}
	if n.process, err = start(pinned(ctx, serverCPU, path, "-p", n.folder, "-c", conf)); err != nil {
		return nil, err
	}
	if err := eventually(ctx, 5*time.Second, "nginx listens", func() error { return answers(ctx, n.url+"nginx.conf") }); err != nil {
		n.stop()
		return nil, fmt.Errorf("%w\n%s", err, n.said.String())
	}
	return n, nil
}

// put gives nginx the bytes to serve under a name, in one encoding.
func (n *nginx) put(name, encoding string, body []byte) error {
	path := filepath.Join(n.folder, name)
	if encoding == "gzip" {
		path += ".gz"
	}
	return os.WriteFile(path, body, 0o644)
}
