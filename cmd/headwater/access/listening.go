package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"headwater/ingest"
	"headwater/origin"
)

const (
	// maxFarewells is how many listeners that have gone may wait to be told of;
	// of more it is logged how many the service was not told of.
	maxFarewells = 4096
	farewellers  = 4   // tell services at the same time
	maxMessage   = 200 // bytes of what a service says to a listener
)

// Listening is who may listen to one stream. Each way in is enough by itself.
type Listening struct {
	Users    map[string]Password // by name
	Password Password            // of anybody
	Tokens   bool                // those that the secret has signed
	Add      *url.URL            // is asked for each listener of the continuous outputs, as Icecast's listener_add; nil: none is
	Remove   *url.URL            // is told when one has gone, as Icecast's listener_remove; nil: none is
}

// Open reports whether everybody may.
func (l *Listening) Open() bool {
	return len(l.Users) == 0 && !l.Password.Set() && !l.Tokens && l.Add == nil && l.Remove == nil
}

// Gates makes the gates of streams, and tells services of listeners that have
// gone. It is safe for concurrent use.
type Gates struct {
	secret  Secret
	server  string // host:port
	log     *slog.Logger
	memory  *memory
	service *http.Client
	silent  *ingest.Tally // services that do not answer whether somebody may listen
	untold  *ingest.Tally // services that were not told that somebody has gone

	farewells chan farewell
	mu        sync.Mutex
	lost      int // farewells since that was told; guarded by mu
}

// farewell is what a service is told.
type farewell struct {
	to   *url.URL
	form url.Values
}

// NewGates returns gates that know tokens by a secret. server is the address of
// this server as services are told it. It starts nothing.
func NewGates(secret Secret, server string, log *slog.Logger) *Gates {
	return &Gates{
		secret: secret, server: server, log: log, memory: newMemory(), service: newClient(),
		silent:    ingest.NewTally(log, "the service that says who may listen does not answer, so nobody may"),
		untold:    ingest.NewTally(log, "the service was not told that a listener has gone"),
		farewells: make(chan farewell, maxFarewells),
	}
}

// Run tells services until ctx ends, and then of those who have gone until then,
// for 5 s. It returns nil.
func (g *Gates) Run(ctx context.Context) error {
	after, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(serviceTimeout, stop) })()
	var telling sync.WaitGroup
	for range farewellers {
		telling.Go(func() { g.tell(ctx, after) })
	}
	telling.Wait()
	return nil
}

// tell tells services until ctx ends, and what waits then until after ends.
func (g *Gates) tell(ctx, after context.Context) {
	for {
		select {
		case f := <-g.farewells:
			g.farewell(after, f)
		case <-ctx.Done():
			select {
			case f := <-g.farewells:
				g.farewell(after, f)
			default:
				return
			}
		}
	}
}

func (g *Gates) farewell(ctx context.Context, f farewell) {
	res, err := g.post(ctx, f.to, f.form)
	if err != nil {
		g.untold.Add(slog.String("address", f.to.Host), slog.Any("error", err))
		return
	}
	res.Body.Close()
	g.mu.Lock()
	lost := g.lost
	g.lost = 0
	g.mu.Unlock()
	if lost > 0 {
		g.log.Warn("the service is too slow: it was not told of all listeners that have gone", "address", f.to.Host, "count", lost)
	}
}

// Gate returns the gate of a stream, or nil if everybody may listen.
func (g *Gates) Gate(l Listening) origin.Gate {
	if l.Open() {
		return nil
	}
	return &gate{g, l}
}

// gate is the [origin.Gate] of one stream.
type gate struct {
	*Gates
	Listening
}

// Enter says whether a visitor may listen.
func (g *gate) Enter(ctx context.Context, v *origin.Visitor) origin.Verdict {
	if g.Tokens && v.Token != "" {
		now := time.Now()
		for _, name := range v.Streams {
			if expiry, ok := g.secret.Check(v.Token, name, now); ok {
				return origin.Verdict{Allowed: true, Limit: expiry.Sub(now)}
			}
		}
	}
	if g.knows(v) {
		return origin.Verdict{Allowed: true}
	}
	named := len(g.Users) > 0 || g.Password.Set()
	switch {
	case g.Add != nil && v.ID != 0:
		return g.ask(ctx, v)
	case g.Add == nil && !named && !g.Tokens: // a service only wants to know who was here
		return origin.Verdict{Allowed: true}
	case named:
		return origin.Verdict{Challenge: true, Message: "this stream needs a name and a password"}
	case g.Tokens && v.Token != "":
		return origin.Verdict{Message: "the token is not for this stream, or has expired"}
	case g.Tokens:
		return origin.Verdict{Message: "this stream needs a token: /t/TOKEN in front of the path, or ?token="}
	}
	return origin.Verdict{Message: "only the continuous output of this stream can be had: HLS would need a password or a token"}
}

// knows reports whether a visitor has a password.
func (g *gate) knows(v *origin.Visitor) bool {
	if v.User == "" && v.Password == "" {
		return false
	}
	remote := v.Remote.String()
	if p, ok := g.Users[v.User]; ok && g.memory.check(p, v.Password, remote) {
		return true
	}
	return g.memory.check(g.Password, v.Password, remote)
}

// ask asks the service, as Icecast does: 2xx with "icecast-auth-user: 1" lets
// the listener in, for icecast-auth-timelimit seconds if it says so.
func (g *gate) ask(ctx context.Context, v *origin.Visitor) origin.Verdict {
	res, err := g.post(ctx, g.Add, g.form("listener_add", v))
	if err != nil {
		g.silent.Add(slog.String("stream", v.Streams[0]), slog.String("address", g.Add.Host), slog.Any("error", err))
		return origin.Verdict{Message: "nobody can say now whether you may listen"}
	}
	res.Body.Close()
	verdict := origin.Verdict{
		Allowed:   res.StatusCode/100 == 2 && res.Header.Get("icecast-auth-user") == "1",
		Message:   message(res.Header.Get("icecast-auth-message")),
		Challenge: res.StatusCode == http.StatusUnauthorized || v.User == "" && v.Password == "",
	}
	if seconds, err := strconv.Atoi(res.Header.Get("icecast-auth-timelimit")); err == nil && seconds > 0 {
		verdict.Limit = time.Duration(min(seconds, 1e9)) * time.Second
	}
	if to, err := url.Parse(res.Header.Get("Location")); err == nil && to.Host != "" && (to.Scheme == "http" || to.Scheme == "https") && !verdict.Allowed {
		verdict.Location = to.String()
	}
	return verdict
}

// Leave has the service told that a listener has gone.
func (g *gate) Leave(v *origin.Visitor, listened time.Duration) {
	if g.Remove == nil {
		return
	}
	form := g.form("listener_remove", v)
	form.Set("duration", strconv.Itoa(int(listened.Seconds())))
	select {
	case g.farewells <- farewell{g.Remove, form}:
	default:
		g.mu.Lock()
		g.lost++
		g.mu.Unlock()
	}
}

// form returns what a service is told of a listener.
func (g *gate) form(action string, v *origin.Visitor) url.Values {
	server, port, _ := net.SplitHostPort(g.server)
	return url.Values{
		"action": {action}, "server": {server}, "port": {port}, "client": {strconv.FormatUint(v.ID, 10)},
		"mount": {v.Mount}, "user": {v.User}, "pass": {v.Password}, "ip": {v.Remote.Addr().String()},
		"agent": {v.Agent}, "listeners": {strconv.FormatInt(v.Listeners, 10)},
	}
}

// post posts a form. What the answer has beside its head is read and dropped.
// The error does not tell the URL, which may hold a password.
func (g *Gates) post(ctx context.Context, to *url.URL, form url.Values) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := g.service.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("ask %s: %w", to.Host, err)
	}
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // so that the connection can be used again
	return res, nil
}

// message returns what a service says to a listener as it can be shown.
func message(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	return strings.ToValidUTF8(text[:min(len(text), maxMessage)], "")
}
