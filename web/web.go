// Package web holds the pages that headwater serves: a list of the streams, a
// player, and hls.js for browsers that cannot play HLS by themselves. They
// load nothing from elsewhere and work under a strict Content-Security-Policy.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var files embed.FS

// policy lets a page load its own files and nothing else. hls.js hands
// decoded media to the browser as blob: URLs, and runs its worker from one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors *"

// Handler returns the pages: the list of streams at /, the files of the pages
// below /web/, and the player page at any other path, which it takes for the
// name of a stream. Whether there is such a stream is the caller's business.
func Handler() http.Handler {
	pages := map[string]*page{}
	root, err := fs.Sub(files, "static")
	if err != nil {
		panic("web: the embedded files have no folder static: " + err.Error())
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err == nil {
			pages[name] = newPage(name, body)
		}
		return err
	})
	if err != nil {
		panic("web: the embedded files cannot be read: " + err.Error())
	}
	return handler(pages)
}

// page is one embedded file with its headers.
type page struct {
	name        string
	body        []byte
	contentType string
	etag        string
}

func newPage(name string, body []byte) *page {
	sum := sha256.Sum256(body)
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".svg":  "image/svg+xml",
		".txt":  "text/plain; charset=utf-8",
	}
	return &page{name, body, types[path.Ext(name)], `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// handler maps file names below static to pages.
type handler map[string]*page

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, inside := strings.CutPrefix(r.URL.Path, "/web/")
	switch {
	case r.URL.Path == "/":
		name = "index.html"
	case !inside:
		name = "player.html"
	}
	p := h[name]
	if p == nil {
		w.Header().Set("Cache-Control", "public, max-age=1")
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	header := w.Header()
	header.Set("Content-Type", p.contentType)
	header.Set("ETag", p.etag)
	header.Set("Cache-Control", "public, max-age=60")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, p.name, time.Time{}, bytes.NewReader(p.body))
}
