package origin

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const (
	// maxSockets bounds the programs that follow events over a WebSocket.
	maxSockets = 256
	// socketTimeout is how long one may take for an event, or for a pong.
	socketTimeout  = 10 * time.Second
	socketInterval = 30 * time.Second // between pings
)

// serveEvents sends events as JSON, a message each, over a WebSocket (RFC 6455)
// until the client or the server ends. What the client sends is for nobody.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.Header()["Upgrade"] = s.headers.websocket
		s.fail(w, r, http.StatusUpgradeRequired, s.headers.noStore, "events come over a WebSocket: connect to this URL with ws:// or wss://")
		return
	}
	events := s.events.serve() // before the answer: who has that misses nothing
	if events == nil {
		s.counts.refused.Add(1)
		s.fail(w, r, http.StatusServiceUnavailable, s.headers.noStore, "as many programs follow the events as may")
		return
	}
	defer s.events.leave(events)
	// All may know what is told here, and no cookie is looked at.
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // it has been answered
	}
	defer c.CloseNow()
	ctx := c.CloseRead(context.WithoutCancel(r.Context()))
	if pump(ctx, c, events) {
		c.Close(websocket.StatusGoingAway, "the server stops")
	}
}

// pump sends events until the client is gone, or reports that the server ends.
func pump(ctx context.Context, c *websocket.Conn, events *Events) (over bool) {
	ping := time.NewTicker(socketInterval)
	defer ping.Stop()
	for {
		var err error
		select {
		case e, ok := <-events.C:
			if !ok {
				return true
			}
			err = within(ctx, func(ctx context.Context) error { return wsjson.Write(ctx, c, e) })
		case <-ping.C:
			err = within(ctx, c.Ping)
		case <-ctx.Done():
			return false
		}
		if err != nil {
			return false
		}
	}
}

// within calls f with a context that ends after socketTimeout.
func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	return f(ctx)
}
