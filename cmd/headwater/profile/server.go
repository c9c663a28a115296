// Package profile shows what a running process does: the profiles of
// net/http/pprof, and the metrics of runtime/metrics in the text format of
// Prometheus. It is for a person on the same machine: profiles tell what is in
// memory, and taking one costs time.
package profile

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"
)

// Loopback reports whether only programs on this machine reach an address
// host:port: its host is a loopback address, or localhost.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Handler returns what is served: /debug/pprof/ and /debug/metrics. A request
// must name the host by a loopback address, so that no web page can reach it
// by a name that was made to mean this machine.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "/debug/pprof/   profiles: go tool pprof http://ADDR/debug/pprof/profile\n/debug/metrics  metrics of the runtime, for Prometheus\n")
	})
	mux.HandleFunc("GET /debug/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(appendMetrics(nil))
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Loopback(r.Host) && !Loopback(r.Host+":80") {
			http.Error(w, "ask by a loopback address, not by "+r.Host, http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Server serves [Handler] on a listener.
type Server struct {
	Listener net.Listener // Run closes it
	Log      *slog.Logger
}

// Run serves until ctx ends, and then cuts off what is being served. It
// returns nil if ctx ended.
func (s *Server) Run(ctx context.Context) error {
	server := http.Server{
		Handler:           Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	s.Log.Info("profiles", "address", "http://"+s.Listener.Addr().String()+"/debug/pprof/")
	if err := server.Serve(s.Listener); ctx.Err() == nil {
		return fmt.Errorf("serve profiles: %w", err)
	}
	return nil
}
