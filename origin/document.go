package origin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// document is a playlist ready to be sent: bytes and header values exist
// before the first request, so that a request allocates nothing (hls-rules
// D25). It is immutable.
type document struct {
	plain, zipped form
	modified      time.Time // whole seconds
	lastModified  []string
	cacheControl  []string
}

// form is one coding of a document.
type form struct {
	body     []byte
	etag     []string
	length   []string
	encoding []string // nil for identity
}

// newDocument prepares body for sending. It may be kept by caches for maxAge seconds.
func newDocument(body []byte, modified time.Time, maxAge int) (*document, error) {
	var b bytes.Buffer
	// The other levels allocate a megabyte for each writer: more than the media
	// that comes between two playlists, to save a tenth of these few bytes.
	z, err := gzip.NewWriterLevel(&b, gzip.StatelessCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:16])
	modified = modified.UTC().Truncate(time.Second)
	return &document{
		plain:        newForm(body, `"`+tag+`"`, nil),
		zipped:       newForm(b.Bytes(), `"`+tag+`-gz"`, []string{"gzip"}),
		modified:     modified,
		lastModified: []string{modified.Format(http.TimeFormat)},
		cacheControl: []string{fmt.Sprintf("public, max-age=%d", maxAge)},
	}, nil
}

func newForm(body []byte, etag string, encoding []string) form {
	return form{body, []string{etag}, []string{strconv.Itoa(len(body))}, encoding}
}
