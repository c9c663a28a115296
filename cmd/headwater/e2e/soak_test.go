//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
)

var soakTime = flag.Duration("soak", 100*time.Second, "how long TestSoak goes on")

const (
	soakLoad   = 12 * time.Second // of each cycle
	soakSettle = 40 * time.Second // what went on at its end may take so long to be over
)

// TestSoak puts headwater under load with sources, listeners and viewers that
// come and go in all ways, good and bad. After each few seconds all but two
// sources have gone, and it must have as many goroutines, open files and bytes
// of heap as before. Meanwhile what stays on must be served without a fault.
//
//	make soak SOAK=1h
func TestSoak(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := newSoak(t)
	s.play("live", steadyVideo())
	s.play("radio", muxtest.RawAudio(mux.CodecMP3))
	for _, name := range s.steady {
		eventually(t, 60*time.Second, name+" is ready", func() error { return s.server.status("/"+name+"/main.m3u8", http.StatusOK) })
	}
	s.cycle() // whatever is made once is made now
	var samples []sample
	for len(samples) < 3 || time.Since(began) < *soakTime {
		s.cycle()
		samples = append(samples, s.quiet())
		if t.Failed() {
			break
		}
	}
	t.Logf("after %v:\n%s", time.Since(began).Round(time.Second), table(samples))
	for _, what := range growth(samples) {
		t.Error(what)
	}
	if t.Failed() {
		t.Logf("goroutines:\n%s", s.stacks())
	}
	if log := s.server.process.output.String(); strings.Contains(log, "ERROR") {
		t.Errorf("headwater says:\n%s", tail(log, 20))
	}
	t.Logf("%v", &s.done)
	s.stopPlaying()
	s.server.process.signal(syscall.SIGTERM)
	if err := s.server.process.wait(20 * time.Second); err != nil {
		t.Errorf("headwater ended with %v, want status 0", err)
	}
}

// soak is a headwater with two sources that stay, and the load on it.
type soak struct {
	t      *testing.T
	server *server
	addr   string // of the server, over HTTP
	debug  string // URL of its profiles

	steady []string       // streams with a source that stays
	loose  []string       // streams whose sources come and go
	ports  map[string]int // where a stream takes its source

	playing     sync.WaitGroup
	stopPlaying func()
	ctx         context.Context // of what is playing

	done deeds
}

func newSoak(t *testing.T) *soak {
	s := &soak{t: t, steady: []string{"live", "radio"}, loose: []string{"a", "b", "c"}, ports: map[string]int{}}
	profiles := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s.debug = "http://" + profiles
	args := []string{"--window", "20s", "--log-level", "warn", "--pprof", profiles, "--limits-listeners", "15"}
	for _, name := range []string{"radio", "a", "b", "c"} {
		s.ports[name] = freePort(t)
		args = append(args, "--tcp", fmt.Sprintf("%s=127.0.0.1:%d", name, s.ports[name]))
	}
	s.ports["fetched"] = freePort(t)
	args = append(args, "--tcp", fmt.Sprintf("fetched=connect:127.0.0.1:%d", s.ports["fetched"]))
	s.server = serve(t, args...)
	s.ports["live"] = s.server.port
	s.addr = strings.TrimPrefix(s.server.url, "http://")
	ctx, cancel := context.WithCancel(t.Context())
	s.ctx = ctx
	s.stopPlaying = sync.OnceFunc(func() { cancel(); s.playing.Wait() })
	t.Cleanup(s.stopPlaying)
	return s
}

// play sends a source that stays.
func (s *soak) play(name string, stream muxtest.Stream) {
	conn, err := net.Dial("tcp", s.source(name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.playing.Go(func() {
		defer conn.Close()
		if err := pour(s.ctx, conn, stream); err != nil && s.ctx.Err() == nil {
			s.t.Errorf("source of %s: %v", name, err)
		}
	})
}

// source returns where a stream takes its source.
func (s *soak) source(name string) string { return fmt.Sprintf("127.0.0.1:%d", s.ports[name]) }

// cycle puts load on the server, and takes all of it off.
func (s *soak) cycle() {
	ctx, cancel := context.WithTimeout(s.ctx, soakLoad)
	defer cancel()
	var load sync.WaitGroup
	again := func(n int, f func(ctx context.Context, random *rand.Rand)) {
		for range n {
			load.Go(func() {
				random := rand.New(rand.NewPCG(rand.Uint64(), 0))
				for ctx.Err() == nil {
					f(ctx, random)
					pause(ctx, time.Duration(random.IntN(500))*time.Millisecond)
				}
			})
		}
	}
	for _, name := range s.loose {
		again(1, func(ctx context.Context, random *rand.Rand) { s.comeAndGo(ctx, random, name) })
	}
	again(1, s.beFetched)
	again(1, s.intrude)
	again(6, s.view)
	again(2, s.viewOverHTTP2)
	again(12, s.listen)
	again(2, s.listenOverHTTP2)
	again(3, s.misbehave)
	again(1, s.storm)
	load.Wait()
}

// quiet waits until nothing is left of the load, and measures.
func (s *soak) quiet() sample {
	s.t.Helper()
	deadline := time.Now().Add(soakSettle)
	for {
		err := s.atRest()
		if err == nil {
			return s.measure()
		}
		if time.Now().After(deadline) {
			s.t.Errorf("%v after the load: %v", soakSettle, err)
			return s.measure()
		}
		pause(s.t.Context(), 200*time.Millisecond)
	}
}

// atRest returns what still goes on that should not.
func (s *soak) atRest() error {
	status, body, err := get(s.server.url + "/api/v1/stats")
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("stats: %d, %w", status, err)
	}
	var stats struct {
		Listeners int64  `json:"listeners"`
		InFlight  int64  `json:"in_flight"`
		Panics    uint64 `json:"panics"`
		Lost      uint64 `json:"segments_lost"`
	}
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		return err
	}
	if stats.Listeners != 0 || stats.InFlight > 1 || stats.Panics+stats.Lost > 0 {
		return fmt.Errorf("%+v, want no listeners, and no request but this one", stats)
	}
	return s.sourcesGone()
}

// sourcesGone returns nil if only the sources that stay are connected.
func (s *soak) sourcesGone() error {
	for _, name := range append([]string{"fetched"}, s.loose...) {
		status, body, err := get(s.server.url + "/api/v1/streams/" + name)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("stream %s: %d, %w", name, status, err)
		}
		var stream struct {
			Source any `json:"source"`
		}
		if err := json.Unmarshal([]byte(body), &stream); err != nil {
			return err
		}
		if stream.Source != nil {
			return fmt.Errorf("stream %s has a source: %v", name, stream.Source)
		}
	}
	return nil
}

// steadyVideo is about 400 kbit/s.
func steadyVideo() muxtest.Stream {
	s := muxtest.AV()
	s.VideoBytes = 1500
	return s
}
