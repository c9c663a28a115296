package origin

import (
	"sync"
	"sync/atomic"
	"time"

	"headwater/mux"
)

// EventKind says what has happened.
type EventKind string

// What happens to streams.
const (
	EventSourceConnected    EventKind = "source_connected"    // a source, or that of the standby, has the stream
	EventSourceDisconnected EventKind = "source_disconnected" // it has gone
	EventAppeared           EventKind = "stream_appeared"     // it has a source, or a standby, where it had none
	EventVanished           EventKind = "stream_vanished"     // it has none any more
	EventFallback           EventKind = "fallback"            // the other source is heard from now on: Side
	EventTitle              EventKind = "title"               // the media has reached a title
	EventListeners          EventKind = "listeners"           // there are more or fewer; at most once a second
)

// EventKinds returns all kinds.
func EventKinds() []EventKind {
	return []EventKind{EventSourceConnected, EventSourceDisconnected, EventAppeared, EventVanished, EventFallback, EventTitle, EventListeners}
}

// Event is something that happened to a stream.
type Event struct {
	Kind   EventKind `json:"event"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"` // UTC

	Source    *EventSource `json:"source,omitempty"`    // of the kinds of sources, and of EventFallback
	Title     *EventText   `json:"title,omitempty"`     // of EventTitle
	Listeners *int64       `json:"listeners,omitempty"` // of EventListeners: how many there are
}

// EventSource is the source that an event is about.
type EventSource struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Remote string `json:"remote"`
	Side   string `json:"side"` // "main" or "standby"
}

// EventText is the title that an event is about.
type EventText struct {
	Artist string `json:"artist"`
	Title  string `json:"title"`
	URL    string `json:"url"`
	Text   string `json:"text"` // artist and title as one
}

// eventQueue is how many events wait for a subscriber. If more do, the oldest
// are lost.
const eventQueue = 256

// Events is a subscription to what happens to the streams of a server, from
// [Server.Events].
type Events struct {
	// C brings the events in their order. It is closed by Close, and when the
	// server has stopped.
	C <-chan Event

	hub  *hub
	send chan Event
	lost atomic.Uint64
}

// Lost returns how many events were lost because 256 others waited in C.
func (e *Events) Lost() uint64 { return e.lost.Load() }

// Close ends the subscription.
func (e *Events) Close() {
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.drop(e)
}

// Events subscribes to what happens from now on.
func (s *Server) Events() *Events { return s.events.subscribe() }

// hub brings events to subscribers. Nobody who emits one ever waits.
type hub struct {
	count  atomic.Int64   // of subscribers
	served sync.WaitGroup // those over a WebSocket; added to while it is not closed

	mu     sync.Mutex
	subs   map[*Events]struct{} // guarded by mu
	closed bool                 // guarded by mu
	open   int                  // subscribers over a WebSocket; guarded by mu
}

func (h *hub) subscribe() *Events {
	c := make(chan Event, eventQueue)
	e := &Events{C: c, send: c, hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return e
	}
	if h.subs == nil {
		h.subs = map[*Events]struct{}{}
	}
	h.subs[e] = struct{}{}
	h.count.Add(1)
	return e
}

// serve subscribes for a WebSocket. It returns nil if there are enough of these,
// or none may begin; leave is called at the end.
func (h *hub) serve() *Events {
	h.mu.Lock()
	if h.closed || h.open == maxSockets {
		h.mu.Unlock()
		return nil
	}
	h.open++
	h.served.Add(1)
	h.mu.Unlock()
	return h.subscribe()
}

// leave undoes serve.
func (h *hub) leave(e *Events) {
	e.Close()
	h.mu.Lock()
	h.open--
	h.mu.Unlock()
	h.served.Done()
}

// drop forgets a subscriber. The caller holds h.mu.
func (h *hub) drop(e *Events) {
	if _, ok := h.subs[e]; ok {
		delete(h.subs, e)
		h.count.Add(-1)
		close(e.send)
	}
}

// close ends all subscriptions, and those that would begin.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for e := range h.subs {
		h.drop(e)
	}
}

// emit tells all subscribers. h may be nil: there are none.
func (h *hub) emit(e Event) {
	if h == nil || h.count.Load() == 0 {
		return
	}
	e.Time = e.Time.UTC()
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		for sent := false; !sent; {
			select {
			case s.send <- e:
				sent = true
			default:
				select {
				case <-s.send: // nobody else sends, so there is room then
					s.lost.Add(1)
				default:
				}
			}
		}
	}
}

// emit tells of a stream's event. The caller may hold s.mu.
func (s *Stream) emit(e Event) {
	e.Stream = s.cfg.Name
	s.hub.Load().emit(e)
}

// emitSource tells of a source's event.
func (s *Stream) emitSource(kind EventKind, f *feed, now time.Time) {
	e := Event{Kind: kind, Time: now}
	if f != nil {
		e.Source = &EventSource{f.info.ID, f.info.Kind, f.info.Remote, f.side.String()}
	}
	s.emit(e)
}

// emitTurn tells that another side is heard, or none.
func (s *Stream) emitTurn(was, is side, now time.Time) {
	switch {
	case is == sideNone:
		s.emitSource(EventVanished, nil, now)
	case was == sideNone:
		s.emitSource(EventAppeared, s.feeds[is], now)
	default:
		s.emitSource(EventFallback, s.feeds[is], now)
	}
}

// emitTitle tells of a title that the media has reached.
func (s *Stream) emitTitle(t *mux.Title, now time.Time) {
	s.emit(Event{Kind: EventTitle, Time: now, Title: &EventText{t.Artist, t.Name, t.URL, t.String()}})
}

// emitListeners tells of audiences that are not as they were last told of.
func (s *Server) emitListeners(now time.Time) {
	for _, st := range *s.streams.Load() {
		n := st.audience.now.Load()
		if st.audience.told.Swap(n) != n {
			st.emit(Event{Kind: EventListeners, Time: now, Listeners: &n})
		}
	}
}
