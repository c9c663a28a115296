package live

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"headwater/mux"
)

// maxNotice is the most that ICY can say at a time: its length is a byte that
// counts pieces of noticeUnit bytes.
const (
	noticeUnit = 16
	maxNotice  = 255 * noticeUnit
)

// notice is what ICY tells of a title, once for all listeners. It is immutable.
type notice struct {
	block []byte // a length byte, and so many times 16 bytes
	same  []byte // the block that says that the title is still this one
}

// newNotice returns the notice of a title (hls-rules F06). A URL that has no
// room beside the title is left out, a title that is too long is cut between
// two runes.
func newNotice(t mux.Title) *notice {
	const before, between, after = "StreamTitle='", "';StreamUrl='", "';"
	title := defuse(t.String(), "\u2019")
	url := defuse(t.URL, "%27")
	text := before + title
	if len(url) > 0 && len(before+title+between+url+after) <= maxNotice {
		text += between + url
	}
	text = cut(text, maxNotice-len(after)) + after

	units := (len(text) + noticeUnit - 1) / noticeUnit
	b := make([]byte, 1+units*noticeUnit+1)
	b[0] = byte(units)
	copy(b[1:], text)
	return &notice{block: b[: len(b)-1 : len(b)-1], same: b[len(b)-1:]}
}

// defuse returns text as it can stand between quotes that a semicolon follows,
// as valid UTF-8 without control characters and no longer than a notice. Only
// quotes that would end it too early are replaced by quote. Players look for
// the end from the first quote on (ffmpeg does), so text does not begin with a
// semicolon.
func defuse(text, quote string) string {
	text = cut(text, maxNotice)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if strings.HasPrefix(text, ";") {
		text = " " + text
	}
	return strings.ReplaceAll(text, "';", quote+";")
}

// cut returns as much of text as fits into most bytes, in whole runes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// sameAs reports whether two notices say the same.
func (n *notice) sameAs(o *notice) bool { return string(n.block) == string(o.block) }
