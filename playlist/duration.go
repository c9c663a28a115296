package playlist

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of media in units of 10 µs: what five decimals of an
// EXTINF can say, so that a sum of printed values is exact (hls-rules A18).
// Make those of neighbouring segments as differences of rounded instants, see
// [FromClock]; then no run of them drifts.
type Duration int64

const (
	// Second is one second.
	Second Duration = 100_000
	// maxDuration bounds what is read: 31 years, so that sums cannot overflow.
	maxDuration = 1_000_000_000 * Second
)

// FromClock returns n ticks of a clock of rate hertz as a Duration, rounded to
// the nearest. The duration of a segment from tick a to tick b is
// FromClock(b, rate) - FromClock(a, rate). It is exact for any time since
// 1970 up to the year 9999 on clocks up to 90 MHz. rate must be positive.
func FromClock(n, rate int64) Duration {
	whole, rest := n/rate, n%rate
	if rest < 0 {
		whole, rest = whole-1, rest+rate
	}
	return Duration(whole)*Second + Duration((rest*int64(Second)+rate/2)/rate)
}

// Std returns d as a [time.Duration]. It is exact.
func (d Duration) Std() time.Duration { return time.Duration(d) * 10 * time.Microsecond }

// Seconds returns d in seconds.
func (d Duration) Seconds() float64 { return float64(d) / float64(Second) }

// String returns d in seconds with five decimals, as EXTINF has it: "6.00600".
func (d Duration) String() string { return string(d.append(nil)) }

// append appends d with five decimals to dst.
func (d Duration) append(dst []byte) []byte {
	if d < 0 {
		dst, d = append(dst, '-'), -d
	}
	dst = strconv.AppendInt(dst, int64(d/Second), 10)
	return appendDigits(append(dst, '.'), int(d%Second), 5)
}

// appendDigits appends the last width decimal digits of n, which is not negative.
func appendDigits(dst []byte, n, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := start + width - 1; i >= start; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

var (
	errNotDecimal = errors.New("not a decimal number")
	errTooLong    = errors.New("longer than 31 years")
)

// parseDuration reads a decimal-floating-point of RFC 8216 §4.2, rounding to
// the nearest 10 µs. A missing digit before or after the point is taken as 0.
func parseDuration(s string) (Duration, error) {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(s), ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, errNotDecimal
	}
	var seconds int64
	if whole != "" {
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || n > int64(maxDuration/Second) {
			return 0, errTooLong
		}
		seconds = n
	}
	const places = "000000" // five, and the one that rounds
	n, _ := strconv.ParseInt((fraction + places)[:len(places)], 10, 64)
	d := Duration(seconds)*Second + Duration((n+5)/10)
	if d > maxDuration {
		return 0, errTooLong
	}
	return d, nil
}
