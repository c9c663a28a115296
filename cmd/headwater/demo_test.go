package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/playlist"
)

// TestDemoPlaysWithinFiveSeconds starts what "headwater demo" starts.
func TestDemoPlaysWithinFiveSeconds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s, err := openStation(ctx, demoOptions("127.0.0.1:0", "127.0.0.1:0"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- s.run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run = %v, want nil", err)
		}
	}()

	var body string
	for {
		status := 0
		if status, body = fetch(t, "http://"+s.endpoints.http+"/demo/main.m3u8"); status == http.StatusOK {
			break
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("after 5 s the playlist answers %d %s", status, body)
		}
		<-time.After(20 * time.Millisecond)
	}
	list, err := playlist.ReadMedia([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Segments) < 3 || list.TargetDuration != 2 {
		t.Errorf("%d segments and a target duration of %d s, want at least 3 and 2", len(list.Segments), list.TargetDuration)
	}
	// The programme is dated as if it had begun ten seconds ago.
	oldest := began.Add(-demoAhead)
	if at := list.Segments[0].Time; at.Before(oldest.Add(-time.Second)) || at.After(oldest.Add(2*demoTargetDuration)) {
		t.Errorf("the first segment is dated %v, want about %v", at, oldest.UTC())
	}
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// recordingSink notes up to where the pictures it was given go.
type recordingSink struct {
	mu            sync.Mutex
	first, newest mux.Ticks
	units         int
	closed        error
}

func (s *recordingSink) Attach(mux.SourceInfo, time.Time) (mux.Feed, error) { return s, nil }
func (s *recordingSink) Patience() time.Duration                            { return 0 }
func (s *recordingSink) Preview(*mux.Unit, time.Time)                       {}
func (s *recordingSink) Report(string, mux.Stats)                           {}
func (s *recordingSink) Close(cause error, _ time.Time)                     { s.closed = cause }
func (s *recordingSink) Write(units []*mux.Unit, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range units {
		if s.units++; s.units == 1 {
			s.first = u.DTS
		}
		s.newest = max(s.newest, u.DTS)
	}
}

func (s *recordingSink) media() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.newest - s.first).Duration()
}

func TestProgrammeSourceSendsInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		sink := &recordingSink{}
		ended := make(chan error, 1)
		go func() { ended <- (&programmeSource{sink: sink, ahead: demoAhead}).Run(ctx) }()
		passed := time.Duration(0)
		for _, step := range []time.Duration{0, time.Second, time.Minute} {
			time.Sleep(step) // of the bubble's clock
			synctest.Wait()
			passed += step
			if off := sink.media() - (demoAhead + passed); off < -100*time.Millisecond || off > 100*time.Millisecond {
				t.Errorf("%v after the start %v of media have come, want %v", passed, sink.media(), demoAhead+passed)
			}
		}
		stop()
		if err := <-ended; err != nil || sink.closed == nil {
			t.Errorf("Run = %v, Close was given %v; want nil and why it ended", err, sink.closed)
		}
	})
}

func TestDemoAnnouncesWhatToOpen(t *testing.T) {
	var b strings.Builder
	announceDemo(&b, endpoints{http: "127.0.0.1:8080", streams: []endpoint{{stream: "demo"}, {stream: "live", takes: "127.0.0.1:9999"}}})
	for _, want := range []string{"http://127.0.0.1:8080/demo\n", "http://127.0.0.1:8080/demo.m3u8\n", "tcp://127.0.0.1:9999", "http://127.0.0.1:8080/live\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("announceDemo does not say %q:\n%s", want, b.String())
		}
	}
}
