package playlist_test

import (
	"testing"
	"time"

	"headwater/playlist"
)

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   playlist.Duration
		text string
		std  time.Duration
	}{
		{"nothing", 0, "0.00000", 0},
		{"the smallest", 1, "0.00001", 10 * time.Microsecond},
		{"an NTSC slot", 600_600, "6.00600", 6006 * time.Millisecond},
		{"just below a second", 99_999, "0.99999", 999_990 * time.Microsecond},
		{"a day", 86_400 * playlist.Second, "86400.00000", 24 * time.Hour},
		{"negative", -150_000, "-1.50000", -1500 * time.Millisecond},
	} {
		if got := tt.in.String(); got != tt.text {
			t.Errorf("%s: String() = %s, want %s", tt.name, got, tt.text)
		}
		if got := tt.in.Std(); got != tt.std {
			t.Errorf("%s: Std() = %v, want %v", tt.name, got, tt.std)
		}
		if got := tt.in.Seconds(); got != tt.std.Seconds() {
			t.Errorf("%s: Seconds() = %v, want %v", tt.name, got, tt.std.Seconds())
		}
	}
}

func TestFromClock(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, rate int64
		want    playlist.Duration
	}{
		{"nothing", 0, 90_000, 0},
		{"one tick is 11.1 µs", 1, 90_000, 1},
		{"half of a unit rounds up", 1, 200_000, 1},
		{"less than half rounds down", 4, 900_000, 0},
		{"an NTSC slot", 540_540, 90_000, 600_600},
		{"the wrap of a timestamp", 1 << 33, 90_000, 9_544_371_769},
		{"before the epoch", -90_001, 90_000, -100_001},
		{"samples", 44_100*3600 + 1, 44_100, 360_000_002},
		{"the year 9999", 253_402_300_799 * 90_000, 90_000, 253_402_300_799 * playlist.Second},
	} {
		if got := playlist.FromClock(tt.n, tt.rate); got != tt.want {
			t.Errorf("%s: FromClock(%d, %d) = %d, want %d", tt.name, tt.n, tt.rate, got, tt.want)
		}
	}
}
