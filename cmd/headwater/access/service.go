package access

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	serviceTimeout = 5 * time.Second
	// maxAnswer bounds what is read of a service's answer, whose head says it all.
	maxAnswer = 4 << 10
)

// newClient returns a client for services. It follows no redirect, which would
// show a password to another.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       serviceTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: serviceTimeout}).DialContext,
			MaxConnsPerHost:        16,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// question is what a service is asked about a source.
type question struct{ stream, user, password, remote string }

// ask reports whether a service lets a source send: it answers 2xx with the
// header field "icecast-auth-user: 1". No answer is no.
func (k *Keeper) ask(ctx context.Context, service *url.URL, q question) bool {
	server, port, _ := net.SplitHostPort(k.cfg.Server)
	ip, _, _ := net.SplitHostPort(q.remote)
	form := url.Values{
		"action": {"stream_auth"}, "mount": {"/" + q.stream}, "ip": {ip},
		"server": {server}, "port": {port}, "user": {q.user}, "pass": {q.password},
	}
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, service.String(), strings.NewReader(form.Encode()))
	if err != nil {
		k.unanswered(service, q, err)
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := k.service.Do(req)
	if err != nil {
		k.unanswered(service, q, err)
		return false
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // so that the connection can be used again
	return res.StatusCode/100 == 2 && res.Header.Get("icecast-auth-user") == "1"
}

// unanswered logs that a service cannot be asked. The URL may hold a password
// for it, and is told without.
func (k *Keeper) unanswered(service *url.URL, q question, err error) {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	k.silent.Add(slog.String("stream", clip(q.stream)), slog.String("address", service.Host), slog.Any("error", err))
}

// ParseService reads the URL of a service.
func ParseService(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("must be a URL such as http://127.0.0.1:8000/auth")
	}
	return u, nil
}
