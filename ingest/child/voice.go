package child

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"headwater/mux"
)

const (
	// burst is how many lines of a program are logged however fast they come;
	// after that one each pace.
	burst = 20
	pace  = time.Second
	// longestLine is how much of a line is kept.
	longestLine = 1 << 10
)

// voice logs what a program says, so that it can neither fill the disk nor hang
// because nobody listens.
type voice struct {
	log *slog.Logger

	mu    sync.Mutex
	last  string    // what was said last; guarded by mu
	mayAt time.Time // when spare was counted; guarded by mu
	spare int       // lines that may be logged; guarded by mu
	muted int       // lines not logged since the last that was; guarded by mu
}

// listen takes lines until there are no more.
func (v *voice) listen(r io.Reader) {
	lines := bufio.NewReaderSize(r, longestLine)
	for cut := false; ; {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		if text := mux.CleanText(strings.TrimSpace(string(line))); text != "" && !cut {
			v.say(slog.LevelInfo, text, time.Now())
		}
		cut = more // the rest of a line that is too long
	}
}

// say logs text, a line without control characters, unless there is too much.
func (v *voice) say(level slog.Level, text string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = text
	if earned := int(now.Sub(v.mayAt) / pace); earned > 0 {
		v.spare, v.mayAt = min(v.spare+earned, burst), now
	}
	if v.spare == 0 {
		v.muted++
		return
	}
	v.spare--
	attrs := []slog.Attr{slog.String("text", text)}
	if v.muted > 0 {
		attrs = append(attrs, slog.Int("muted", v.muted))
	}
	v.log.LogAttrs(context.Background(), level, "the program says", attrs...)
	v.muted = 0
}

// lastLine returns what was said last, or "".
func (v *voice) lastLine() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// end logs what was not logged.
func (v *voice) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.muted > 0 {
		v.log.Info("the program said more than is logged", "muted", v.muted, "text", v.last)
	}
}
