package origin_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/origin"
)

// door lets in who says "open", for a time, and remembers what it was asked.
type door struct {
	mu      sync.Mutex
	entered []origin.Visitor // guarded by mu
	left    []time.Duration  // guarded by mu
}

func (d *door) Enter(_ context.Context, v *origin.Visitor) origin.Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entered = append(d.entered, *v)
	return origin.Verdict{Allowed: v.Token == "open", Message: "closed"}
}

func (d *door) Leave(_ *origin.Visitor, listened time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = append(d.left, listened)
}

// A stranger starts no source: it does not count as somebody who asks, and does
// not wait for one.
func TestStrangersStartNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Gate: new(door), OnDemand: true})
		defer b.stop()
		for path, want := range map[string]int{"/live.mp3": 403, "/live.m3u8": 403, "/live/main.m3u8": 403, "/live/main/0/1.ts": 403, "/live": 403} {
			began := time.Now()
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != want || time.Since(began) > 0 {
				t.Errorf("%s: %d after %v, want %d at once", path, w.Code, time.Since(began), want)
			}
		}
		if asked, listeners := b.stream.Demand(); asked != 0 || listeners != 0 {
			t.Errorf("Demand = %d requests and %d listeners, want none", asked, listeners)
		}
		if n := b.server.Stats().Strangers; n != 5 {
			t.Errorf("%d were not let in, want 5", n)
		}
	})
}

// The gate is told who comes, once for a listener, and how long it has listened.
func TestGateKnowsListeners(t *testing.T) {
	d := new(door)
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "s", Gate: d})
	res := h.listen("/t/open/s.mp3?x=1", "User-Agent: mpv", "Authorization: bAsIc YW5uYTpw9jp3")
	hear(t, res)
	d.mu.Lock()
	if len(d.entered) != 1 {
		t.Fatalf("the gate was asked %d times, want once", len(d.entered))
	}
	v := d.entered[0]
	d.mu.Unlock()
	if v.ID == 0 || v.Mount != "/s.mp3?x=1" || v.Token != "open" || v.User != "anna" || v.Password != "p\xf6:w" || v.Agent != "mpv" || v.Listeners != 1 || v.Streams[0] != "s" {
		t.Errorf("the gate was told %+v", v)
	}
	h.server.EndListener(v.ID)
	h.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.left) != 1 || d.left[0] <= 0 {
		t.Errorf("the gate was told that listeners left after %v, want one", d.left)
	}
}

// service is a gate that is asked for listeners only, as listener_add is.
type service struct{ door }

func (s *service) Enter(ctx context.Context, v *origin.Visitor) origin.Verdict {
	s.door.Enter(ctx, v)
	return origin.Verdict{Allowed: v.ID != 0 && v.Agent == "mpv"}
}

// A gate that knows listeners only lets them in where the source comes on
// demand, too, and is told of those who have waited in vain.
func TestListenersComeOnDemandThroughAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := new(service)
		b := newBed(t, origin.StreamConfig{Gate: gate, OnDemand: true})
		defer b.stop()
		synctest.Wait() // until it runs
		ask := func(agent string) (status int, took time.Duration) {
			began := time.Now()
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/live.mp3", nil)
			r.Header.Set("User-Agent", agent)
			b.server.ServeHTTP(w, r)
			return w.Code, time.Since(began)
		}
		if status, took := ask("mpv"); status != 503 || took < time.Second {
			t.Errorf("a listener: %d after %v, want 503 once no source has come", status, took)
		}
		if status, took := ask("other"); status != 403 || took > 0 {
			t.Errorf("a stranger: %d after %v, want 403 at once", status, took)
		}
		if asked, listeners := b.stream.Demand(); asked != 1 || listeners != 0 {
			t.Errorf("Demand = %d requests and %d listeners, want 1 and 0", asked, listeners)
		}
		if len(gate.entered) != 2 || len(gate.left) != 1 {
			t.Errorf("the gate was asked %d times and told of %d who left, want 2 and 1", len(gate.entered), len(gate.left))
		}
		if n := b.server.Stats().Listeners; n != 0 {
			t.Errorf("%d listeners, want 0", n)
		}
	})
}

// Who asks for a few bytes only has to pass the gate, too, and is no listener
// afterwards.
func TestProbesPassTheGate(t *testing.T) {
	d := new(door)
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "s", Gate: d})
	for path, want := range map[string]int{"/s.mp3": 403, "/t/open/s.mp3": 206, "/s.mp3?token=open": 206} {
		if got := h.listen(path, "Range: bytes=0-1").StatusCode; got != want {
			t.Errorf("two bytes of %s = %d, want %d", path, got, want)
		}
	}
	if n := h.server.Stats().Listeners; n != 0 || len(h.server.Listeners("")) != 0 {
		t.Errorf("%d listeners, want 0", n)
	}
	h.stop()
	if len(d.left) != 2 {
		t.Errorf("the gate was told of %d who left, want 2", len(d.left))
	}
}

// The password of a source opens no stream of another that is not for everybody.
func TestSourcesOpenNoOtherStream(t *testing.T) {
	h := open(t, origin.ServerConfig{Guard: guard{}}, origin.StreamConfig{Name: "one"}, origin.StreamConfig{Name: "two", Gate: new(door)})
	for _, path := range []string{"/admin/moveclients?mount=/one&destination=/two", "/admin/fallbacks?mount=/one&fallback=/two.mp3"} {
		if status, body := h.ask(path, "source", "source"); status != 401 {
			t.Errorf("%s by the source of stream one = %d %s, want 401", path, status, body)
		}
		if status, body := h.ask(path, "admin", "admin"); status != 200 {
			t.Errorf("%s by the administrator = %d %s, want 200", path, status, body)
		}
	}
}
