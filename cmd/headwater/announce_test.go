package main

import (
	"strings"
	"testing"
)

func TestAnnounceServe(t *testing.T) {
	var out strings.Builder
	announceServe(&out, endpoints{http: "127.0.0.1:8080", password: "the password in data/.source-password", streams: []endpoint{
		{stream: "live", takes: "127.0.0.1:9999"}, {stream: "radio", fetches: "encoder.example:9000"}}})
	for _, want := range []string{
		"  http://127.0.0.1:8080/\n",
		"  http://127.0.0.1:8080/live.m3u8\n",
		"ffmpeg -re -i FILE -c copy -f mpegts tcp://127.0.0.1:9999\n",
		"tcpclientsink host=127.0.0.1 port=9999\n",
		"with the password in data/.source-password:\n",
		"icecast://source:PASSWORD@127.0.0.1:8080/live\n",
		`Stream "radio" is fetched from encoder.example:9000.`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("announceServe does not say %q:\n%s", want, out.String())
		}
	}
}

func TestEndpointURLs(t *testing.T) {
	lan := lanAddress()
	all := "http://" + lan + ":8080 http://localhost:8080"
	if lan == "127.0.0.1" { // a machine without a network
		all = "http://127.0.0.1:8080"
	}
	tests := []struct{ name, http, want string }{
		{"every address", "[::]:8080", all},
		{"every IPv4 address", "0.0.0.0:8080", all},
		{"one address", "192.0.2.1:80", "http://192.0.2.1:80"},
		{"this machine only", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"IPv6", "[2001:db8::1]:8080", "http://[2001:db8::1]:8080"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(endpoints{http: tt.http}.urls(), " "); got != tt.want {
				t.Errorf("urls of %s = %s, want %s", tt.http, got, tt.want)
			}
		})
	}
}
