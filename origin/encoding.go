package origin

import "strings"

// acceptsGzip reports whether gzip is wanted by Accept-Encoding: named or
// covered by "*", not refused by q=0, and not liked less than identity
// (RFC 9110 §12.5.3, hls-rules D03). No header means no gzip: a player that
// does not ask may be unable to read it.
func acceptsGzip(list string) bool {
	gzip, identity, any := -1, -1, -1 // thousandths, -1 if not named
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		coding, parameters, _ := strings.Cut(item, ";")
		q := quality(parameters)
		switch coding = strings.TrimSpace(coding); {
		case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
			gzip = max(gzip, q)
		case strings.EqualFold(coding, "identity"):
			identity = q
		case coding == "*":
			any = q
		}
	}
	if gzip < 0 {
		gzip = any
	}
	return gzip > 0 && gzip >= identity
}

// quality reads the weight in the parameters of an item, in thousandths. What
// is malformed counts as 0: then the plain form is sent, which all can read.
func quality(parameters string) int {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "q") {
			return thousandths(strings.TrimSpace(value))
		}
	}
	return 1000
}

// thousandths reads a qvalue: 0 to 1 with up to three decimals.
func thousandths(s string) int {
	if s == "" || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0
	}
	n, unit := int(s[0]-'0')*1000, 100
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n += int(s[i]-'0') * unit
		unit /= 10
	}
	return min(n, 1000)
}
