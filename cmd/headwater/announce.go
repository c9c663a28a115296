package main

import (
	"fmt"
	"io"
	"net"
	"strings"
)

// endpoints is where a running headwater can be reached.
type endpoints struct {
	http    string // address that is listened on
	streams []endpoint
	// password says in words where that of sources over HTTP is; "" if there is none.
	password string
}

// endpoint is where one stream comes from. At most one of takes and fetches is
// set; none if it is only sent over HTTP.
type endpoint struct {
	stream  string
	takes   string // address that is listened on for it
	fetches string // address that it is fetched from
}

// announceAtTerminal is announceServe for a process that may be a service: what
// is not shown to a person is for the log alone.
func announceAtTerminal(w io.Writer, at endpoints) {
	if isTerminal(w) {
		announceServe(w, at)
	}
}

// announceServe tells a person how to send a stream and how to watch it.
func announceServe(w io.Writer, at endpoints) {
	fmt.Fprintf(w, "\nheadwater %s is ready.\n\nWatch and listen, in a browser or on a phone in the same network:\n\n", buildVersion())
	for _, base := range at.urls() {
		fmt.Fprintf(w, "  %s/\n", base)
	}
	for _, s := range at.streams {
		fmt.Fprintf(w, "  %s/%s.m3u8\n", at.urls()[0], s.stream)
	}
	for _, s := range at.streams {
		switch {
		case s.takes != "":
			host, port, _ := net.SplitHostPort(s.takes)
			announceSender(w, s.stream, reachable(host), port)
		case s.fetches != "":
			fmt.Fprintf(w, "\nStream %q is fetched from %s.\n", s.stream, s.fetches)
		}
	}
	if at.password != "" && len(at.streams) > 0 {
		fmt.Fprintf(w, "\nOr send as to Icecast, with %s:\n\n  ffmpeg -re -i FILE -vn -c:a libmp3lame -content_type audio/mpeg -f mp3 \\\n      icecast://source:PASSWORD@%s/%s\n",
			at.password, strings.TrimPrefix(at.urls()[0], "http://"), at.streams[0].stream)
	}
	fmt.Fprint(w, "\nCtrl-C stops.\n\n")
}

// announceSender writes the command lines that send a stream to host and port.
func announceSender(w io.Writer, stream, host, port string) {
	fmt.Fprintf(w, `
Send stream %q, from another terminal:

  ffmpeg -re -i FILE -c copy -f mpegts tcp://%s
  gst-launch-1.0 audiotestsrc is-live=true ! audioconvert ! lamemp3enc ! \
      mpegaudioparse ! mpegtsmux ! tcpclientsink host=%s port=%s
  headwater push --test tcp://%s
`, stream, net.JoinHostPort(host, port), host, port, net.JoinHostPort(host, port))
}

// urls returns the base URLs of the server, without a slash at the end: the
// one for other machines first, where there is one.
func (at endpoints) urls() []string {
	host, port, err := net.SplitHostPort(at.http)
	if err != nil {
		return []string{"http://" + at.http}
	}
	lan := "http://" + net.JoinHostPort(reachable(host), port)
	local := "http://" + net.JoinHostPort("localhost", port)
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() || reachable(host) == "127.0.0.1" {
		return []string{lan}
	}
	return []string{lan, local}
}

// reachable returns the address under which others reach a socket that is
// bound to host: host itself, or the machine's own address if it is bound to all.
func reachable(host string) string {
	if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
		return host
	}
	return lanAddress()
}

// lanAddress returns the address of this machine that its default route uses,
// or 127.0.0.1 if it has none. Nothing is sent: connecting a UDP socket only
// looks up the route.
func lanAddress() string {
	conn, err := net.Dial("udp4", "192.0.2.1:9") // RFC 5737: an address that is nobody's
	if err != nil {
		return "127.0.0.1"
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		return "127.0.0.1"
	}
	return host
}
