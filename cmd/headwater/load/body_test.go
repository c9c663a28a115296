package load_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"headwater/cmd/headwater/load"
)

func TestBody(t *testing.T) {
	tests := []struct {
		name     string
		chunks   bool
		interval int
		in, want string
		err      error
	}{
		{"plain bytes stay as they are", false, 0, "abc\r\ndef", "abc\r\ndef", nil},
		{"chunks are joined", true, 0, "3\r\nabc\r\n4\r\ndefg\r\n", "abcdefg", nil},
		{"a chunk's extension is passed over", true, 0, "3;a=\"b\"\r\nabc\r\nA \r\n0123456789\r\n", "abc0123456789", nil},
		{"data may look like a size", true, 0, "4\r\n\r\n0\r\r\n", "\r\n0\r", nil},
		{"the last chunk is the end", true, 0, "1\r\na\r\n0\r\n\r\n", "a", io.EOF},
		{"a size that is none", true, 0, "x\r\n", "", load.ErrChunk},
		{"no size", true, 0, "\r\n", "", load.ErrChunk},
		{"a size beyond all measure", true, 0, strings.Repeat("f", 16) + "\r\n", "", load.ErrChunk},
		{"data longer than its chunk", true, 0, "1\r\nab", "a", load.ErrChunk},
		{"empty titles", false, 4, "abcd\x00efgh\x00i", "abcdefghi", nil},
		{"a title of 16 bytes", false, 4, "abcd\x01StreamTitle='x';efgh", "abcdefgh", nil},
		{"titles in chunks", true, 4, "3\r\nabc\r\n3\r\nd\x00e\r\n", "abcde", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for cut := range len(tt.in) + 1 {
				in := []byte(tt.in)
				got, err := load.TakeBody(tt.chunks, tt.interval, in[:cut], in[cut:])
				if string(got) != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("cut at %d: %q, %v, want %q, %v", cut, got, err, tt.want, tt.err)
				}
			}
		})
	}
}

// Any bytes cut anywhere give the same media and the same end.
func FuzzBody(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\n\r\n"), 1, 4)
	f.Add([]byte("5;x\r\nabc\x00d\r\n"), 6, 3)
	f.Fuzz(func(t *testing.T, in []byte, cut, interval int) {
		cut, interval = min(max(cut, 0), len(in)), min(max(interval, 0), 1<<20)
		for _, chunks := range []bool{false, true} {
			whole, wholeErr := load.TakeBody(chunks, interval, in)
			got, err := load.TakeBody(chunks, interval, in[:cut], in[cut:])
			if !bytes.Equal(got, whole) || fmt.Sprint(err) != fmt.Sprint(wholeErr) {
				t.Errorf("cut at %d: %q, %v, want %q, %v", cut, got, err, whole, wholeErr)
			}
		}
	})
}
