package ts

import (
	"fmt"
	"slices"
	"strings"

	"headwater/mux"
)

// reconsider makes a new program if the tables say another thing than before.
func (d *Demuxer) reconsider() {
	v := &d.services
	v.choose(d.options.Program)
	s := v.chosen
	if s == nil || s.section == nil {
		if d.program != nil && s == nil { // it left the PAT
			d.flushTracks(d.tracks)
			d.tracks, d.program = nil, nil
			d.route()
		}
		return
	}
	notes := v.notes()
	if d.program != nil && d.program.Number == s.number && string(d.program.PMT) == string(s.section) {
		if !slices.Equal(notes, d.program.Notes) {
			p := *d.program
			p.Notes = notes
			d.program = &p
		}
		return
	}
	p := &mux.Program{Number: s.number, PMTPID: s.pid, PCRPID: s.pmt.PCRPID, PMT: s.section, Notes: notes}
	d.adopt(p, &s.pmt)
}

// adopt makes p the program, with the tracks that m lists. A track that stays
// goes on in the middle of a unit; one that goes ends here.
func (d *Demuxer) adopt(p *mux.Program, m *PMT) {
	same := d.program != nil && d.program.Number == p.Number
	registered := registration(m.Descriptors)
	var tracks []*track
	for i := range m.Streams {
		s := &m.Streams[i]
		if !d.trackPID(s.PID, tracks) || len(tracks) == maxTracks {
			d.stats.BadPSI++
			d.report(p.PMTPID, "elementary_PID", mux.ErrInvalid)
			continue
		}
		info := mux.Track{PID: s.PID, StreamType: s.Type, Codec: codecOf(s, registered), Language: language(s.Descriptors)}
		info.Parameters = declared(info.Codec)
		t := d.keepTrack(same, &info)
		if t == nil {
			t = newTrack(&info)
		}
		tracks = append(tracks, t)
		p.Tracks = append(p.Tracks, info)
	}
	var gone []*track
	for _, t := range d.tracks {
		if !slices.Contains(tracks, t) {
			gone = append(gone, t)
		}
	}
	d.flushTracks(gone)
	for i, t := range tracks {
		t.index = i
	}
	d.tracks, d.program = tracks, p
	d.route()
}

// trackPID reports whether an elementary stream may be on pid.
func (d *Demuxer) trackPID(pid mux.PID, tracks []*track) bool {
	if !tablePID(pid) || d.tableOf(pid) != nil {
		return false
	}
	return !slices.ContainsFunc(tracks, func(t *track) bool { return t.pid == pid })
}

// keepTrack returns the track that info describes if it is there already, and
// completes info with what was learned of it.
func (d *Demuxer) keepTrack(same bool, info *mux.Track) *track {
	if !same {
		return nil
	}
	for i, t := range d.tracks {
		if t.pid != info.PID || t.streamType != info.StreamType || t.declared != info.Codec {
			continue
		}
		info.Codec = d.program.Tracks[i].Codec
		info.Parameters = d.program.Tracks[i].Parameters
		return t
	}
	return nil
}

// declared returns what is known of a codec without a look at its bytes, for
// those that nobody looks into.
func declared(c mux.Codec) mux.Parameters {
	switch c {
	case mux.CodecAC3:
		return mux.Parameters{CodecString: "ac-3"}
	case mux.CodecEAC3:
		return mux.Parameters{CodecString: "ec-3"}
	case mux.CodecOpus:
		return mux.Parameters{CodecString: "Opus", SampleRate: 48000}
	case mux.CodecLATM:
		return mux.Parameters{CodecString: "mp4a.40.2"}
	}
	return mux.Parameters{}
}

// learn makes a new program in which track i has another codec or other parameters.
func (d *Demuxer) learn(i int, c mux.Codec, parameters mux.Parameters) {
	t := &d.program.Tracks[i]
	if t.Codec == c && t.Parameters == parameters {
		return
	}
	p := *d.program
	p.Tracks = slices.Clone(p.Tracks)
	p.Tracks[i].Codec, p.Tracks[i].Parameters = c, parameters
	d.program = &p
}

// notes tells what the source holds besides the first video and audio track.
func (v *services) notes() []string {
	var notes []string
	for _, s := range v.list {
		if s != v.chosen && s.section != nil {
			notes = append(notes, fmt.Sprintf("program %d is not used: it has %s", s.number, s.pmt.contents()))
		}
	}
	m := &v.chosen.pmt
	program := registration(m.Descriptors)
	var video, audio bool
	for i := range m.Streams {
		s := &m.Streams[i]
		c := codecOf(s, program)
		switch {
		case c.Video() && !video:
			video = true
		case c.Audio() && !audio:
			audio = true
		case c.Video():
			notes = append(notes, fmt.Sprintf("PID 0x%04x is a further video track: %s", s.PID, s.describe(program)))
		case c.Audio():
			notes = append(notes, fmt.Sprintf("PID 0x%04x is a further audio track: %s", s.PID, s.describe(program)))
		default:
			notes = append(notes, fmt.Sprintf("PID 0x%04x carries %s", s.PID, s.describe(program)))
		}
	}
	return notes
}

// contents lists the streams of m in words.
func (m *PMT) contents() string {
	if len(m.Streams) == 0 {
		return "no tracks"
	}
	program := registration(m.Descriptors)
	var words []string
	for i := range m.Streams {
		words = append(words, m.Streams[i].describe(program))
	}
	return strings.Join(words, ", ")
}

// describe names what the stream carries.
func (s *Stream) describe(program string) string {
	c := codecOf(s, program)
	name := c.String()
	switch {
	case has(s.Descriptors, tagSubtitling):
		name = "DVB subtitles"
	case has(s.Descriptors, tagTeletext):
		name = "teletext"
	case c == mux.CodecMP3: // the layer is not known yet
		name = "MPEG audio"
	case c == mux.CodecData:
		name = fmt.Sprintf("data of stream type 0x%02x", s.Type)
	}
	if l := language(s.Descriptors); l != "" {
		name += " (" + l + ")"
	}
	return name
}
