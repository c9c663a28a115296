package origin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"headwater/mux"
	"headwater/origin"
)

// drained returns what has happened, an event a line, without listeners.
func drained(e *origin.Events) (lines []string) {
	for {
		select {
		case e := <-e.C:
			line := fmt.Sprint(e.Kind, " ", e.Stream)
			if e.Source != nil {
				line += " " + e.Source.ID + " " + e.Source.Side
			}
			if e.Title != nil {
				line += " " + e.Title.Text
			}
			if e.Listeners != nil {
				line += fmt.Sprint(" ", *e.Listeners)
			}
			lines = append(lines, line)
		default:
			return lines
		}
	}
}

func happened(t *testing.T, events *origin.Events, what string, want ...string) {
	t.Helper()
	if got := drained(events); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: events are\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		events := b.server.Events()
		feed := b.attach()
		happened(t, events, "a source connects", "source_connected live test-1 main", "stream_appeared live test-1 main")
		feed.Write(second(), time.Now())
		happened(t, events, "it brings media")
		b.stream.SetTitle(mux.Title{Artist: "A", Name: "B"}, time.Now())
		feed.Write(second(), time.Now())
		happened(t, events, "media reaches a title", "title live A - B")

		standby, err := b.stream.Standby().Attach(mux.SourceInfo{ID: "test-2"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		standby.Write(second(), time.Now())
		happened(t, events, "a standby waits", "source_connected live test-2 standby")
		feed.Close(errors.New("gone"), time.Now())
		time.Sleep(time.Second) // it might have been back soon
		standby.Write(second(), time.Now())
		time.Sleep(300 * time.Millisecond) // the source has half of FallbackAfter to be back
		synctest.Wait()
		happened(t, events, "the standby takes over", "source_disconnected live test-1 main", "fallback live test-2 standby", "title live ")
		standby.Close(nil, time.Now())
		happened(t, events, "all are gone", "source_disconnected live test-2 standby", "stream_vanished live")

		events.Close()
		if _, ok := <-events.C; ok {
			t.Error("an event came after Close")
		}
		events.Close() // once more does nothing
	})
}

// Who does not take events loses the oldest, and holds up nobody.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		events := b.server.Events()
		for range 200 {
			b.attach().Close(nil, time.Now())
		}
		if got := len(drained(events)); got != 256 || events.Lost() != 800-256 {
			t.Errorf("%d events came and %d were lost, want 256 and 544", got, events.Lost())
		}
	})
}

func TestEventsOfListeners(t *testing.T) {
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "s"})
	events := h.server.Events()
	h.server.Measure(time.Now())
	hear(t, h.listen("/s.mp3"))
	hear(t, h.listen("/s.mp3"))
	h.server.Measure(time.Now())
	h.server.Measure(time.Now())
	for e := range events.C { // the server measures by itself, too
		if e.Kind != origin.EventListeners || *e.Listeners > 2 {
			t.Fatalf("event %+v", e)
		}
		if *e.Listeners == 2 {
			break
		}
	}
}

func TestEventsOverWebSocket(t *testing.T) {
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "s"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+h.addr+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	h.feeds[0].Close(nil, time.Now())
	for _, want := range []string{"source_disconnected", "stream_vanished"} {
		var e map[string]any
		if err := wsjson.Read(ctx, c, &e); err != nil {
			t.Fatal(err)
		}
		if e["event"] != want || e["stream"] != "s" {
			t.Errorf("event %v, want %s of s", e, want)
		}
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); h.stop() }()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v, want that the server goes away", err)
	}
	<-stopped

	res, err := http.Get("http://" + open(t, origin.ServerConfig{}).addr + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("GET of the events is %d, want 426", res.StatusCode)
	}
}
