package check

import (
	"regexp"
	"slices"
	"strings"

	"headwater/playlist"
)

// variantRules are those of EXT-X-STREAM-INF: B01 to B10, B13 to B15, B21, B22.
func variantRules() []rule {
	return []rule{
		{"B01", Must, multivariant, "every variant has BANDWIDTH", checkBandwidth},
		{"B02", Must, multivariant, "every variant has AVERAGE-BANDWIDTH, not above BANDWIDTH", checkAverage},
		{"B03", Ours, multivariant, "BANDWIDTH does not change", checkBandwidthConstant},
		{"B04", Must, multivariant, "every variant has CODECS", checkCodecs},
		{"B05", Must, multivariant, "codec strings are well formed", checkCodecForm},
		{"B06", Must, multivariant, "HEVC is called hvc1", checkHEVC},
		{"B09", Must, multivariant, "video variants have RESOLUTION and FRAME-RATE", checkPicture},
		{"B10", Must, multivariant, "all variants have VIDEO-RANGE if one is not SDR", checkVideoRange},
		{"B13", Must, multivariant, "I-frame variants have no attributes of others", checkIFrames},
		{"B14", Should, multivariant, "one variant needs at most 192 kbit/s", checkCellular},
		{"B15", Must, multivariant, "audio-only variants have no attributes of video", checkAudioOnly},
		{"B21", Ours, multivariant, "the variants and their order do not change", checkOrder},
		{"B22", Ours, multivariant, "URIs are relative", checkRelative},
	}
}

func (v *view) variants() []playlist.Variant { return v.now.multivariant.Variants }

func checkBandwidth(v *view) {
	for _, s := range v.variants() {
		if s.Bandwidth == 0 {
			v.fault("variant %s has no BANDWIDTH", s.URI)
		}
	}
}

func checkAverage(v *view) {
	for _, s := range v.variants() {
		switch {
		case s.AverageBandwidth == 0:
			v.fault("variant %s has no AVERAGE-BANDWIDTH", s.URI)
		case s.AverageBandwidth > s.Bandwidth && s.Bandwidth > 0:
			v.fault("AVERAGE-BANDWIDTH of variant %s is above its BANDWIDTH", s.URI)
		}
	}
}

func checkBandwidthConstant(v *view) {
	if v.before == nil || v.before.multivariant == nil {
		return
	}
	for _, s := range v.variants() {
		for _, old := range v.before.multivariant.Variants {
			if old.URI == s.URI && old.Audio == s.Audio &&
				(old.Bandwidth != s.Bandwidth || old.AverageBandwidth != s.AverageBandwidth) {
				v.fault("BANDWIDTH of variant %s was %d (average %d) and is %d (average %d)",
					s.URI, old.Bandwidth, old.AverageBandwidth, s.Bandwidth, s.AverageBandwidth)
			}
		}
	}
}

func checkCodecs(v *view) {
	for _, s := range v.variants() {
		if s.Codecs == "" {
			v.fault("variant %s has no CODECS", s.URI)
		}
	}
}

// codecs yields the codec strings of a variant.
func codecs(s *playlist.Variant) []string {
	if s.Codecs == "" {
		return nil
	}
	return strings.Split(s.Codecs, ",")
}

// codecForms returns what codec strings of the kinds that have a fixed form
// look like (RFC 6381; hls-rules B05 to B08).
func codecForms() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"avc1": regexp.MustCompile(`^avc1\.[0-9A-Fa-f]{6}$`),
		"hvc1": regexp.MustCompile(`^hvc1\.[ABC]?[0-9]+\.[0-9A-Fa-f]+\.[LH][0-9]+(\.[0-9A-Fa-f]{1,2}){0,6}$`),
		"mp4a": regexp.MustCompile(`^mp4a\.(40\.[1-9][0-9]?|6[0-9A-Fa-f]|a5|a6)$`),
		"av01": regexp.MustCompile(`^av01\.[0-2]\.[0-9]{2}[MH]\.[0-9]{2}(\..*)?$`),
	}
}

func checkCodecForm(v *view) {
	forms := codecForms()
	for _, s := range v.variants() {
		for _, codec := range codecs(&s) {
			kind, _, _ := strings.Cut(codec, ".")
			if form := forms[kind]; codec == "" || form != nil && !form.MatchString(codec) {
				v.fault("variant %s has the codec %q, which is not well formed", s.URI, codec)
			}
		}
	}
}

func checkHEVC(v *view) {
	for _, s := range v.variants() {
		if i := slices.IndexFunc(codecs(&s), func(c string) bool { return strings.HasPrefix(c, "hev1") }); i >= 0 {
			v.fault("variant %s has the codec %s, which Apple devices play as hvc1 only", s.URI, codecs(&s)[i])
		}
	}
}

// hasVideo reports whether a codec of the variant is of video.
func hasVideo(s *playlist.Variant) bool {
	return slices.ContainsFunc(codecs(s), func(codec string) bool {
		kind, _, _ := strings.Cut(codec, ".")
		switch kind {
		case "avc1", "avc3", "hvc1", "hev1", "av01", "vp09", "dvh1", "dvhe", "mp4v":
			return true
		}
		return false
	})
}

func checkPicture(v *view) {
	for _, s := range v.variants() {
		if !hasVideo(&s) {
			continue
		}
		if s.Width == 0 {
			v.fault("variant %s has video but no RESOLUTION", s.URI)
		}
		if s.FrameRate == 0 {
			v.fault("variant %s has video but no FRAME-RATE", s.URI)
		}
	}
}

func checkVideoRange(v *view) {
	other := slices.IndexFunc(v.variants(), func(s playlist.Variant) bool { return s.VideoRange != "" && s.VideoRange != "SDR" })
	if other < 0 {
		return
	}
	for _, s := range v.variants() {
		if hasVideo(&s) && s.VideoRange == "" {
			v.fault("variant %s has no VIDEO-RANGE, but another is %s", s.URI, v.variants()[other].VideoRange)
		}
	}
}

func checkIFrames(v *view) {
	for _, l := range v.now.lines {
		if l.name != "EXT-X-I-FRAME-STREAM-INF" {
			continue
		}
		for _, name := range []string{"FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"} {
			if _, ok := l.attribute(name); ok {
				v.fault("line %d: EXT-X-I-FRAME-STREAM-INF has %s", l.number, name)
			}
		}
	}
}

func checkCellular(v *view) {
	const limit = 192_000
	if len(v.variants()) == 0 {
		return
	}
	least := slices.MinFunc(v.variants(), func(a, b playlist.Variant) int { return int(a.Bandwidth - b.Bandwidth) })
	if least.Bandwidth > limit {
		v.fault("the smallest variant needs %d bit/s: apps on cellular networks must offer one of at most %d", least.Bandwidth, limit)
	}
}

func checkAudioOnly(v *view) {
	for _, s := range v.variants() {
		if s.Codecs != "" && !hasVideo(&s) && s.Video == "" && (s.Width > 0 || s.FrameRate > 0 || s.VideoRange != "") {
			v.fault("variant %s has only the codecs %s, but RESOLUTION, FRAME-RATE or VIDEO-RANGE", s.URI, s.Codecs)
		}
	}
}

func checkOrder(v *view) {
	if v.before == nil || v.before.multivariant == nil {
		return
	}
	uris := func(m *playlist.Multivariant) (list []string) {
		for i := range m.Variants {
			list = append(list, m.Variants[i].URI)
		}
		return list
	}
	if was, is := uris(v.before.multivariant), uris(v.now.multivariant); !slices.Equal(was, is) {
		v.fault("the variants were %q and are %q: players read them once", was, is)
	}
}

func checkRelative(v *view) {
	absolute := func(uri string) bool { return strings.Contains(uri, "://") || strings.HasPrefix(uri, "/") }
	for _, s := range v.variants() {
		if absolute(s.URI) {
			v.fault("the URI %s is not relative: behind a prefix it leads elsewhere", s.URI)
		}
	}
	for _, r := range v.now.multivariant.Renditions {
		if absolute(r.URI) {
			v.fault("the URI %s is not relative: behind a prefix it leads elsewhere", r.URI)
		}
	}
}
