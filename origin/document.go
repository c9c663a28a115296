package origin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// document is a playlist ready to be sent: bytes and header values exist
// before the first request, so that a request allocates nothing (hls-rules
// D25). It is immutable.
type document struct {
	plain        form
	zipped       func() *form // made for the first who asks: most streams have no player for the moment
	modified     time.Time    // whole seconds
	lastModified []string
	cacheControl []string
}

// form is one coding of a document.
type form struct {
	body     []byte
	etag     []string
	length   []string
	encoding []string // nil for identity
}

// newDocument prepares body for sending. It may be kept by caches for maxAge seconds.
func newDocument(body []byte, modified time.Time, maxAge int) *document {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:16])
	plain := newForm(body, `"`+tag+`"`, nil)
	modified = modified.UTC().Truncate(time.Second)
	return &document{
		plain: plain,
		zipped: sync.OnceValue(func() *form {
			zipped := newForm(zip(body), `"`+tag+`-gz"`, []string{"gzip"})
			return &zipped
		}),
		modified:     modified,
		lastModified: []string{modified.Format(http.TimeFormat)},
		cacheControl: []string{fmt.Sprintf("public, max-age=%d", maxAge)},
	}
}

// zip returns the gzip form of body.
func zip(body []byte) []byte {
	var b bytes.Buffer
	// The other levels allocate a megabyte for each writer: more than the media
	// that comes between two playlists, to save a tenth of these few bytes.
	z, err := gzip.NewWriterLevel(&b, gzip.StatelessCompression)
	if err != nil {
		panic(err) // the level exists
	}
	z.Write(body) // a buffer takes all
	z.Close()
	return b.Bytes()
}

func newForm(body []byte, etag string, encoding []string) form {
	return form{body, []string{etag}, []string{strconv.Itoa(len(body))}, encoding}
}
