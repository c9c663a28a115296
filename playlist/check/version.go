package check

import "strings"

// versionRules are those of EXT-X-VERSION and of old tags: A09 to A11.
func versionRules() []rule {
	return []rule{
		{"A09", Must, anyText, "VERSION is high enough for the tags", checkVersionFloor},
		{"A10", Should, anyText, "VERSION is not higher than the tags need", checkVersionCeiling},
		{"A10", Ours, anyText, "VERSION does not change", checkVersionConstant},
		{"A11", Should, anyText, "tags that were removed from HLS are not used", checkDeprecated},
	}
}

// version returns EXT-X-VERSION, 1 if there is none.
func (s *snapshot) version() int {
	switch {
	case s.media != nil:
		return s.media.Version
	case s.multivariant != nil:
		return s.multivariant.Version
	}
	return 1
}

// need returns the least version that a tag asks for, and why (rfc8216bis §8).
func (s *snapshot) need(l line) (version int, why string) {
	switch l.name {
	case "EXTINF":
		if seconds, _, _ := strings.Cut(l.value, ","); strings.Contains(seconds, ".") {
			return 3, "EXTINF has decimals"
		}
	case "EXT-X-BYTERANGE", "EXT-X-I-FRAMES-ONLY":
		return 4, l.name + " is used"
	case "EXT-X-KEY", "EXT-X-SESSION-KEY":
		return needOfKey(l)
	case "EXT-X-MAP":
		if s.has("EXT-X-I-FRAMES-ONLY") {
			return 5, "EXT-X-MAP is used"
		}
		return 6, "EXT-X-MAP is used without EXT-X-I-FRAMES-ONLY"
	case "EXT-X-MEDIA":
		if id, ok := l.attribute("INSTREAM-ID"); ok && strings.HasPrefix(id, "SERVICE") {
			return 7, "INSTREAM-ID is a SERVICE"
		}
	case "EXT-X-DEFINE":
		if _, ok := l.attribute("QUERYPARAM"); ok {
			return 11, "EXT-X-DEFINE has QUERYPARAM"
		}
		return 8, "EXT-X-DEFINE is used"
	case "EXT-X-SKIP":
		if _, ok := l.attribute("RECENTLY-REMOVED-DATERANGES"); ok {
			return 10, "EXT-X-SKIP removes date ranges"
		}
		return 9, "EXT-X-SKIP is used"
	}
	return 1, ""
}

func needOfKey(l line) (version int, why string) {
	if method, _ := l.attribute("METHOD"); method == "SAMPLE-AES" {
		return 5, "METHOD is SAMPLE-AES"
	}
	if _, ok := l.attribute("KEYFORMAT"); ok {
		return 5, "KEYFORMAT is used"
	}
	if _, ok := l.attribute("IV"); ok {
		return 2, "IV is used"
	}
	return 1, ""
}

// floor returns the least version that the playlist's tags ask for.
func (s *snapshot) floor() (version int, why string) {
	version = 1
	for _, l := range s.lines {
		if n, reason := s.need(l); n > version {
			version, why = n, reason
		}
	}
	return version, why
}

func checkVersionFloor(v *view) {
	if need, why := v.now.floor(); v.now.list() && v.now.version() < need {
		v.fault("VERSION is %d, but must be at least %d: %s", v.now.version(), need, why)
	}
}

// checkVersionCeiling lets pass what delta updates will need (A10), and 6 for
// Low-Latency HLS, which has no floor of its own.
func checkVersionCeiling(v *view) {
	need, _ := v.now.floor()
	need = max(need, 3)
	if l := v.now.first("EXT-X-SERVER-CONTROL"); l != nil {
		need = max(need, 6)
		if _, ok := l.attribute("CAN-SKIP-UNTIL"); ok {
			need = max(need, 10)
		}
	}
	if v.now.list() && v.now.version() > need {
		v.fault("VERSION is %d, but %d would do: old players refuse what they could play", v.now.version(), need)
	}
}

func checkVersionConstant(v *view) {
	if v.before != nil && v.now.list() && v.now.version() != v.before.version() {
		v.fault("VERSION changed from %d to %d", v.before.version(), v.now.version())
	}
}

func checkDeprecated(v *view) {
	for _, l := range v.now.lines {
		if l.name == "EXT-X-ALLOW-CACHE" {
			v.fault("line %d: EXT-X-ALLOW-CACHE was removed from HLS", l.number)
		}
		if l.name == "EXT-X-STREAM-INF" || l.name == "EXT-X-I-FRAME-STREAM-INF" {
			if _, ok := l.attribute("PROGRAM-ID"); ok {
				v.fault("line %d: PROGRAM-ID was removed from HLS", l.number)
			}
		}
	}
}
