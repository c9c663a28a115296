package http1_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"headwater/origin/http1"
)

// RFC 9112 §3, §5: what is taken, and what is left to net/http.
func TestParse(t *testing.T) {
	tests := []struct {
		name string
		head string // without its empty line; \n is CRLF
		want *http1.Request
	}{
		{"plain", "GET /live.m3u8 HTTP/1.1\nHost: x", &http1.Request{Path: "/live.m3u8", Host: "x"}},
		{"HEAD", "HEAD / HTTP/1.1\nHost: x", &http1.Request{Path: "/", Host: "x", Head: true}},
		{"query", "GET /a.m3u8?_HLS_msn=5&x=/?y HTTP/1.1\nHost: x", &http1.Request{Path: "/a.m3u8", Query: "_HLS_msn=5&x=/?y", Host: "x"}},
		{"fields in any case, with blanks", "GET / HTTP/1.1\nHOST:x:80\naccept-encoding:\t gzip, br \nRange: bytes=0-", &http1.Request{Path: "/", Host: "x:80",
			Fields: fields(map[http1.Name]string{http1.AcceptEncoding: "gzip, br", http1.Range: "bytes=0-"})}},
		{"fields that nobody needs", "GET / HTTP/1.1\nHost: x\nUser-Agent: Ünï/1 (x; y)\nDNT: 1\nCookie: a=b\nCookie: c", &http1.Request{Path: "/", Host: "x",
			Fields: fields(map[http1.Name]string{http1.UserAgent: "Ünï/1 (x; y)"})}},
		{"titles", "GET / HTTP/1.0\nicy-metadata:1", &http1.Request{Path: "/", HTTP10: true, Close: true,
			Fields: fields(map[http1.Name]string{http1.IcyMetadata: "1"})}},
		{"keep-alive", "GET / HTTP/1.1\nHost: x\nConnection: Keep-Alive", &http1.Request{Path: "/", Host: "x"}},
		{"close", "GET / HTTP/1.1\nHost: x\nConnection: close", &http1.Request{Path: "/", Host: "x", Close: true}},
		{"close, then keep-alive", "GET / HTTP/1.1\nHost: x\nConnection: close\nConnection: keep-alive", &http1.Request{Path: "/", Host: "x", Close: true}},
		{"HTTP/1.0", "GET / HTTP/1.0", &http1.Request{Path: "/", HTTP10: true, Close: true}},
		{"HTTP/1.0 with all", "GET / HTTP/1.0\nHost: x\nConnection: keep-alive", &http1.Request{Path: "/", Host: "x", HTTP10: true, Close: true}},
		{"IPv6", "GET / HTTP/1.1\nHost: [::1]:8080", &http1.Request{Path: "/", Host: "[::1]:8080"}},

		{"other method", "POST / HTTP/1.1\nHost: x", nil},
		{"method in small letters", "get / HTTP/1.1\nHost: x", nil},
		{"HTTP/2", "PRI * HTTP/2.0", nil},
		{"HTTP/1.2", "GET / HTTP/1.2\nHost: x", nil},
		{"no version", "GET /\nHost: x", nil},
		{"absolute target", "GET http://x/ HTTP/1.1\nHost: x", nil},
		{"escape", "GET /a%20b HTTP/1.1\nHost: x", nil},
		{"fragment", "GET /a#b HTTP/1.1\nHost: x", nil},
		{"two blanks", "GET  / HTTP/1.1\nHost: x", nil},
		{"blank in the target", "GET /a b HTTP/1.1\nHost: x", nil},
		{"no host", "GET / HTTP/1.1\nAccept: */*", nil},
		{"empty host", "GET / HTTP/1.1\nHost:", nil},
		{"two hosts", "GET / HTTP/1.1\nHost: x\nHost: y", nil},
		{"host with a path", "GET / HTTP/1.1\nHost: x/y", nil},
		{"body", "GET / HTTP/1.1\nHost: x\nContent-Length: 5", nil},
		{"empty body", "GET / HTTP/1.1\nHost: x\nContent-Length: 0", nil},
		{"chunked body", "GET / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked", nil},
		{"expectation", "GET / HTTP/1.1\nHost: x\nExpect: 100-continue", nil},
		{"upgrade", "GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket", nil},
		{"a field twice", "GET / HTTP/1.1\nHost: x\nRange: bytes=0-1\nRange: bytes=2-3", nil},
		{"blank before the colon", "GET / HTTP/1.1\nHost : x", nil},
		{"no colon", "GET / HTTP/1.1\nHost: x\nnonsense", nil},
		{"folded line", "GET / HTTP/1.1\nHost: x\nA: b\n c", nil},
		{"control character", "GET / HTTP/1.1\nHost: x\nA: b\x00c", nil},
		{"bare CR", "GET / HTTP/1.1\nHost: x\nA: b\rc", nil},
		{"empty name", "GET / HTTP/1.1\nHost: x\n: b", nil},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := http1.Parse(strings.ReplaceAll(tt.head, "\n", "\r\n") + "\r\n\r\n")
			if ok != (tt.want != nil) || ok && got != *tt.want {
				t.Errorf("Parse(%q) = %+v, %v, want %+v", tt.head, got, ok, tt.want)
			}
		})
	}
}

func fields(values map[http1.Name]string) (f [12]string) {
	for n, v := range values {
		f[n] = v
	}
	return f
}

// FuzzParse holds that what is taken is what net/http would have read, and
// that it has no body.
func FuzzParse(f *testing.F) {
	for _, head := range []string{
		"GET /live/main.m3u8?a=b HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: [::1]:80\r\nRange: bytes=0-1\r\nIf-Range: \"x\"\r\nConnection: close\r\n\r\n",
		"GET /%41 HTTP/1.0\nHost: x\nContent-Length: 1\n\nx",
	} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head string) {
		end := http1.HeadEnd([]byte(head), 0)
		if end == 0 {
			return
		}
		for seen := range min(end, 500) {
			if got := http1.HeadEnd([]byte(head[:seen]), 0); got != 0 {
				t.Fatalf("HeadEnd of the first %d bytes = %d, of more %d", seen, got, end)
			}
			if got := http1.HeadEnd([]byte(head), seen); got != end {
				t.Fatalf("HeadEnd with %d bytes seen = %d, want %d", seen, got, end)
			}
		}
		got, ok := http1.Parse(head[:end])
		if !ok {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Fatalf("Parse(%q) = %+v, net/http says %v", head, got, err)
		}
		if want := http1.From(r); got != want || r.ContentLength != 0 || r.ProtoMajor != 1 || r.ProtoMinor > 1 {
			t.Errorf("Parse(%q) = %+v, net/http says %+v", head, got, want)
		}
	})
}
