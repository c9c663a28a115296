package http1

import (
	"net/http"
	"sync/atomic"
	"time"
)

// date makes the Date field once a second.
type date struct {
	line atomic.Pointer[dateLine]
}

type dateLine struct {
	second int64 // since 1970
	text   string
}

// append appends the field for now.
func (d *date) append(b []byte, now time.Time) []byte {
	line := d.line.Load()
	if second := now.Unix(); line == nil || line.second != second {
		line = &dateLine{second, "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"}
		d.line.Store(line)
	}
	return append(b, line.text...)
}
