package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Secret signs tokens. Whoever knows it can make them.
type Secret []byte

// Token returns a token with which a stream may be heard and seen until expiry,
// from any address: "EXPIRY.SIGNATURE", the seconds of Unix time and the
// HMAC-SHA256 (RFC 2104) of "STREAM\nEXPIRY" in base64url. It can stand in URLs
// as it is.
func (s Secret) Token(stream string, expiry time.Time) string {
	at := strconv.FormatInt(expiry.Unix(), 10)
	return at + "." + base64.RawURLEncoding.EncodeToString(s.sign(stream, at))
}

// Check returns until when a token holds, and whether it is one for a stream
// that holds at now.
func (s Secret) Check(token, stream string, now time.Time) (expiry time.Time, ok bool) {
	at, signature, _ := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(s) == 0 || len(at) > 12 || !hmac.Equal(given, s.sign(stream, at)) {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	expiry = time.Unix(seconds, 0)
	return expiry, err == nil && now.Before(expiry)
}

func (s Secret) sign(stream, at string) []byte {
	h := hmac.New(sha256.New, s)
	h.Write([]byte(stream + "\n" + at)) // names have no line end
	return h.Sum(nil)
}
