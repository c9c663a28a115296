package check

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of one request.
const (
	requestTimeout = 20 * time.Second
	maxBody        = 256 << 20
	maxRedirects   = 5
)

// response is one answer of the server.
type response struct {
	url        *url.URL
	at, done   time.Time // the request was sent, the body was complete
	status     int
	header     http.Header
	asked      http.Header // of the request
	body       []byte      // without Content-Encoding
	size       int         // bytes as sent
	redirected bool
	alien      string // what a playlist's body is instead of one; see alien
	err        error
}

// fetcher makes requests as a player does, one at a time.
type fetcher struct {
	transport http.RoundTripper
}

// get fetches u with extra header fields, following redirects.
func (f *fetcher) get(ctx context.Context, u *url.URL, extra http.Header) *response {
	return f.do(ctx, http.MethodGet, u, extra)
}

func (f *fetcher) do(ctx context.Context, method string, u *url.URL, extra http.Header) *response {
	r := &response{url: u, at: time.Now()}
	for range maxRedirects {
		if r.err = f.once(ctx, method, u, extra, r); r.err != nil || r.status/100 != 3 || r.status == http.StatusNotModified {
			return r
		}
		next, err := u.Parse(r.header.Get("Location"))
		if err != nil {
			r.err = err
			return r
		}
		r.redirected, u = true, next
	}
	r.err = fmt.Errorf("get %s: more than %d redirects", r.url, maxRedirects)
	return r
}

// once makes one request and fills r with its answer.
func (f *fetcher) once(parent context.Context, method string, u *url.URL, extra http.Header, r *response) error {
	ctx, cancel := context.WithTimeout(parent, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "headwater-check")
	req.Header.Set("Accept-Encoding", "gzip") // said by us, so that the transport leaves it alone
	for name, values := range extra {
		req.Header[name] = values
	}
	r.asked = req.Header
	res, err := f.transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("get %s: %w", u, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	r.done, r.status, r.header, r.size = time.Now(), res.StatusCode, res.Header, len(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", u, err)
	}
	if len(body) > maxBody {
		return fmt.Errorf("read %s: more than %d MiB", u, maxBody>>20)
	}
	r.body = body
	if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") && len(body) > 0 {
		if r.body, err = gunzip(body); err != nil {
			return fmt.Errorf("read %s: %w", u, err)
		}
	}
	return nil
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxBody))
	return plain, errors.Join(err, z.Close())
}

// retryAfter returns how long the server asks to wait with the next request,
// ten seconds at most, if it says that it has nothing yet (RFC 9110 §10.2.3).
func (r *response) retryAfter() (pause time.Duration, ok bool) {
	if r.err != nil || r.status != http.StatusServiceUnavailable {
		return 0, false
	}
	field := r.header.Get("Retry-After")
	if at, err := http.ParseTime(field); err == nil {
		pause = time.Until(at)
	} else if seconds, err := strconv.ParseUint(field, 10, 31); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else {
		return 0, false
	}
	return min(max(pause, time.Second), maxPause), true
}

// firstLine returns the first line of a body.
func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return line
}

// quoted returns the beginning of an error's body for a message.
func quoted(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b[:min(len(b), 200)])), "\n")
	if line == "" {
		return ""
	}
	return fmt.Sprintf(": %q", line)
}
