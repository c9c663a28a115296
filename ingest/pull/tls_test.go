//go:build unix && !darwin

package pull_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/ingest/pull"
)

// Over TLS the server must be who it says; then all is as without.
func TestPullOverTLS(t *testing.T) {
	media := sound(3)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Header().Set("icy-metaint", "5000")
		w.Write(interleave(media, 5000, "StreamTitle='Over TLS';"))
	}))
	defer server.Close()
	certificate := filepath.Join(t.TempDir(), "server.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certificate, text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", certificate) // the roots of this process, which are read once
	for _, tt := range []struct{ name, url, want string }{
		{"a server that is who it says", server.URL, ""},
		{"another name", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), "certificate is valid for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink := &ingesttest.Sink{}
			p, err := pull.New([]string{tt.url}, ingest.Options{Sink: sink})
			if err != nil {
				t.Fatal(err)
			}
			err = p.Run(t.Context())
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Run = %v, want %s", err, tt.want)
				}
				return
			}
			if len(sink.Feeds()) != 1 || !bytes.Equal(sink.Feeds()[0].Bytes(), media) || sink.Feeds()[0].Titles()[0] != "Over TLS" {
				t.Errorf("the media did not come: %v", err)
			}
		})
	}
}
