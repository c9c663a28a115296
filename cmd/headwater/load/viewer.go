package load

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"headwater/playlist"
)

// viewer is one player. It has a client, thus connections, of its own.
type viewer struct {
	audience *audience
	client   *http.Client
	began    time.Time
	stalled  sync.Once // counted as one whose picture stood still
}

const (
	maxPlaylist = 4 << 20
	// requestTimeout is how long an answer may take to its last byte.
	requestTimeout = 30 * time.Second
	// retry is how soon a player asks again for what it did not get.
	retry = time.Second
)

func newViewer(a *audience) *viewer {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: -1}
	transport := &http.Transport{
		DialContext: dialer.DialContext, DisableCompression: true, // counts what is sent, not what it means
		MaxConnsPerHost: 2, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		WriteBufferSize: 1 << 10, ReadBufferSize: 8 << 10,
	}
	return &viewer{audience: a, client: &http.Client{Transport: transport, Timeout: requestTimeout}}
}

// play plays until ctx ends.
func (v *viewer) play(ctx context.Context, u *url.URL) {
	defer v.client.CloseIdleConnections()
	v.began = time.Now()
	media := v.choose(ctx, u)
	var following sync.WaitGroup
	for i, u := range media {
		following.Go(func() { v.follow(ctx, u, i == 0) })
	}
	following.Wait()
}

// choose returns the media playlists to play: that of the first variant, and the
// audio that belongs to it if that has one of its own. It asks until it gets them.
func (v *viewer) choose(ctx context.Context, u *url.URL) []*url.URL {
	for {
		text, err := v.playlist(ctx, u)
		if err == nil {
			var list *playlist.Multivariant
			list, err = playlist.ReadMultivariant(text)
			if errors.Is(err, playlist.ErrMedia) {
				return []*url.URL{u}
			}
			if err == nil {
				var chosen []*url.URL
				if chosen, err = firstVariant(list, u); err == nil {
					return chosen
				}
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		v.audience.errors.add("multivariant playlist", err)
		if !sleep(ctx, retry) {
			return nil
		}
	}
}

var errNoVariant = errors.New("no variant")

// firstVariant returns the media playlists that a player begins with.
func firstVariant(list *playlist.Multivariant, base *url.URL) (chosen []*url.URL, err error) {
	if len(list.Variants) == 0 {
		return nil, errNoVariant
	}
	variant := list.Variants[0]
	uris := []string{variant.URI}
	for _, r := range list.Renditions {
		if r.Type == "AUDIO" && r.GroupID == variant.Audio && r.Default && r.URI != "" && r.URI != variant.URI {
			uris = append(uris, r.URI)
		}
	}
	for _, uri := range uris {
		u, err := base.Parse(uri)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, u)
	}
	return chosen, nil
}

// follow plays one media playlist. Only the main one counts for playing and stalls.
func (v *viewer) follow(ctx context.Context, u *url.URL, main bool) {
	a := v.audience
	var f follower
	var p playback
	defer func() {
		if main && p.started {
			a.playing.Add(-1)
			v.stall(p.standing(time.Since(v.began)))
		}
	}()
	for ctx.Err() == nil {
		asked := time.Now()
		list, err := v.media(ctx, u)
		if err != nil {
			if ctx.Err() == nil {
				a.errors.add("playlist", err)
			}
			sleep(ctx, retry)
			continue
		}
		wanted, missed := f.take(list)
		a.missed.Add(int64(missed))
		if len(wanted) == 0 {
			a.unchanged.Add(1)
		} else {
			a.changed.Add(1)
		}
		for _, s := range wanted {
			v.fetch(ctx, u, s, &p, main)
		}
		if list.End {
			return
		}
		sleep(ctx, time.Until(asked.Add(reloadAfter(list, len(wanted) > 0))))
	}
}

// fetch gets a segment, and plays it.
func (v *viewer) fetch(ctx context.Context, base *url.URL, s playlist.Segment, p *playback, main bool) {
	a := v.audience
	if s.Gap {
		a.gaps.Add(1)
	} else if err := v.segment(ctx, base, s.URI); err != nil {
		if ctx.Err() == nil {
			a.errors.add("segment", err)
		}
		return // its time is missing from the playback, and stops it
	}
	if !main {
		return
	}
	now := time.Since(v.began)
	if !p.started {
		a.playing.Add(1)
		a.first.Record(now)
	}
	v.stall(p.add(now, s.Duration.Std()))
}

// stall counts a picture that stood still for d; no time at all is none.
func (v *viewer) stall(d time.Duration) {
	if d <= 0 {
		return
	}
	v.audience.stalls.Record(d)
	v.stalled.Do(func() { v.audience.stalled.Add(1) })
}

// media reads a media playlist.
func (v *viewer) media(ctx context.Context, u *url.URL) (*playlist.Media, error) {
	text, err := v.playlist(ctx, u)
	if err != nil {
		return nil, err
	}
	return playlist.ReadMedia(text)
}

// playlist fetches the text of a playlist.
func (v *viewer) playlist(ctx context.Context, u *url.URL) (text []byte, err error) {
	err = v.get(ctx, u, &v.audience.playlists, func(res *http.Response, body io.Reader) error {
		if res.Header.Get("Content-Encoding") == "gzip" {
			v.audience.zipped.Add(1)
			z, err := gzip.NewReader(body)
			if err != nil {
				return err
			}
			defer z.Close()
			body = z
		}
		text, err = io.ReadAll(io.LimitReader(body, maxPlaylist))
		return err
	})
	return text, err
}

// segment fetches a segment and forgets it.
func (v *viewer) segment(ctx context.Context, base *url.URL, uri string) error {
	u, err := base.Parse(uri)
	if err != nil {
		return err
	}
	return v.get(ctx, u, &v.audience.segments, func(_ *http.Response, body io.Reader) error {
		n, err := io.Copy(io.Discard, body)
		v.audience.media.Add(n)
		return err
	})
}

// get asks for u, and counts in took how long it was until the last byte.
func (v *viewer) get(ctx context.Context, u *url.URL, took *Histogram, read func(*http.Response, io.Reader) error) error {
	a := v.audience
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "headwater-bench")
	req.Header.Set("Accept-Encoding", "gzip")
	began := time.Now()
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body := &counter{r: res.Body, n: &a.bytes}
	if res.StatusCode != http.StatusOK {
		io.Copy(io.Discard, io.LimitReader(body, maxPlaylist)) // keeps the connection
		return statusError(res.StatusCode)
	}
	if err := read(res, body); err != nil {
		return err
	}
	a.requests.Add(1)
	d := time.Since(began)
	a.bodies.Record(d)
	took.Record(d)
	return nil
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// reloadAfter returns when to ask for the playlist again, counted from when it
// was asked for last (RFC 8216 §6.3.4).
func reloadAfter(list *playlist.Media, changed bool) time.Duration {
	target := time.Duration(cmp.Or(list.TargetDuration, 1)) * time.Second
	if changed {
		return target
	}
	return target / 2
}
