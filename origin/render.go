package origin

import (
	"fmt"
	"path"
	"strconv"
	"time"

	"headwater/mux"
	"headwater/playlist"
	"headwater/segmenter"
)

// mediaPlaylist is the only way from a window to text. Times are rounded from
// the epoch, never from each other, so that printed durations do not drift
// (hls-rules A18).
func mediaPlaylist(rendition string, gen uint64, targetDuration int, listed []*segmenter.Segment, end bool) *playlist.Media {
	m := &playlist.Media{
		Version:             3,
		TargetDuration:      targetDuration,
		IndependentSegments: true,
		End:                 end,
		Segments:            make([]playlist.Segment, len(listed)),
	}
	prefix := rendition + "/" + strconv.FormatUint(gen, 10) + "/"
	for i, seg := range listed {
		m.Segments[i] = playlist.Segment{
			URI:           prefix + strconv.FormatUint(seg.Sequence, 10) + seg.Suffix,
			Duration:      playlist.FromClock(int64(seg.End), mux.ClockRate) - playlist.FromClock(int64(seg.Start), mux.ClockRate),
			Time:          milliseconds(seg.Start),
			Discontinuity: seg.Discontinuity,
			Gap:           seg.Gap,
		}
		if !seg.Independent && !seg.Gap {
			m.IndependentSegments = false // A61: true of all or not claimed
		}
	}
	if len(listed) > 0 {
		m.Sequence = listed[0].Sequence
		m.DiscontinuitySequence = listed[0].DSN
		if listed[0].Discontinuity {
			m.DiscontinuitySequence-- // its tag still stands in the list (A26)
		}
	}
	return m
}

// milliseconds rounds an epoch time as PROGRAM-DATE-TIME is printed.
func milliseconds(t mux.Ticks) time.Time {
	return time.UnixMilli((int64(t) + 45) / 90).UTC()
}

// multivariantPlaylist lists the renditions of a stream. URIs are relative to
// the playlist's own URL (hls-rules B22).
func multivariantPlaylist(stream string, tracks []mux.Track, record segmenter.Record, renditions []string) *playlist.Multivariant {
	m := &playlist.Multivariant{Version: 3}
	for _, name := range renditions {
		video, audio := variantTracks(tracks, name)
		if name != segmenter.RenditionMain && videoTrack(tracks) == nil {
			continue // the same sound as main
		}
		b := record.Bandwidth[name]
		v := playlist.Variant{
			URI:                path.Base(stream) + "/" + name + ".m3u8",
			Bandwidth:          b.Peak,
			AverageBandwidth:   b.Average,
			Codecs:             codecs(video, audio),
			ClosedCaptionsNone: true, // B12
		}
		if video != nil {
			v.Width, v.Height = video.Parameters.Width, video.Parameters.Height
			v.FrameRate = frameRate(video.Parameters, record.Frame)
		}
		m.Variants = append(m.Variants, v)
	}
	return m
}

// variantTracks returns the tracks of a rendition: either may be nil.
func variantTracks(tracks []mux.Track, rendition string) (video, audio *mux.Track) {
	for i := range tracks {
		if audio == nil && tracks[i].Codec.Audio() {
			audio = &tracks[i]
		}
	}
	if rendition == segmenter.RenditionMain {
		video = videoTrack(tracks)
	}
	return video, audio
}

func videoTrack(tracks []mux.Track) *mux.Track {
	for i := range tracks {
		if tracks[i].Codec.Video() {
			return &tracks[i]
		}
	}
	return nil
}

// codecs returns the CODECS attribute, or nothing if a track's is not known:
// half a list is worse than none (hls-rules B04).
func codecs(tracks ...*mux.Track) string {
	list := ""
	for _, t := range tracks {
		switch {
		case t == nil:
			continue
		case t.Parameters.CodecString == "":
			return ""
		case list != "":
			list += ","
		}
		list += t.Parameters.CodecString
	}
	return list
}

// frameRate returns what the stream says, else what its timestamps show.
func frameRate(p mux.Parameters, frame mux.Ticks) float64 {
	switch {
	case p.FrameRateNum > 0 && p.FrameRateDen > 0:
		return float64(p.FrameRateNum) / float64(p.FrameRateDen)
	case frame > 0:
		return float64(mux.ClockRate) / float64(frame)
	}
	return 0
}

// bandwidth measures a rendition for the life of its URL: the highest and the
// mean rate of its segments, with a tenth on top (hls-rules B01-B03).
func bandwidth(segments []*segmenter.Segment, target time.Duration) segmenter.Bandwidth {
	var bytes, peak int64
	var length time.Duration
	for i, seg := range segments {
		if d := seg.Duration(); !seg.Gap && d > 0 {
			bytes += seg.Size
			length += d
			peak = max(peak, peakRate(segments[i:], target))
		}
	}
	if length == 0 {
		return segmenter.Bandwidth{}
	}
	mean := bitRate(bytes, length)
	return segmenter.Bandwidth{Peak: withMargin(max(peak, mean)), Average: withMargin(mean)}
}

// peakRate returns the highest rate of what segments begin with, over half a
// target duration to one and a half (RFC 8216 §4.3.4.2): of a second the rate
// says nothing, and it would be said for ever. It is 0 if they are shorter.
func peakRate(segments []*segmenter.Segment, target time.Duration) (peak int64) {
	var bytes int64
	var length time.Duration
	for _, seg := range segments {
		if seg.Gap || length+seg.Duration() > target*3/2 {
			return peak
		}
		bytes += seg.Size
		if length += seg.Duration(); length >= target/2 {
			peak = max(peak, bitRate(bytes, length))
		}
	}
	return peak
}

func bitRate(bytes int64, d time.Duration) int64 {
	return int64(float64(bytes) * 8 / d.Seconds())
}

// withMargin adds a tenth and rounds up to a thousand.
func withMargin(rate int64) int64 { return (rate*11/10 + 999) / 1000 * 1000 }

// render returns the text of a playlist.
func render(p interface{ Append([]byte) ([]byte, error) }, name string) ([]byte, error) {
	b, err := p.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("write playlist %s: %w", name, err)
	}
	return b, nil
}
