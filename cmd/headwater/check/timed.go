package check

import (
	"headwater/mux"
	"headwater/mux/id3"
	"headwater/mux/ts"
)

// What of a PMT and of PES packets makes timed ID3 (Apple, Timed Metadata for
// HTTP Live Streaming).
const (
	typeMetadata       = 0x15
	tagMetadataPointer = 0x25
	tagMetadata        = 0x26
	streamPrivate1     = 0xbd
	metadataID3        = "\xff\xffID3 \xffID3 " // metadata_application_format and metadata_format
)

// examineTimed holds timed ID3 to hls-rules C34 and C35.
func examineTimed(s *segment, p *mux.Program, units []*mux.Unit) {
	m, err := ts.ParsePMT(p.PMT)
	if err != nil {
		return // C01 tells
	}
	for i, t := range p.Tracks {
		if t.StreamType != typeMetadata {
			continue
		}
		examineAnnouncement(s, &m, t.PID, carriesID3(units, i))
		rest := 0 // bytes of a tag that are in the PES packets to come
		for _, u := range units {
			if u.Track == i && (t.Codec == mux.CodecID3 || carriesID3([]*mux.Unit{u}, i)) {
				rest = examineTag(s, t.PID, u, rest)
			}
		}
	}
}

// carriesID3 reports whether an ID3 tag stands in a unit of the track.
func carriesID3(units []*mux.Unit, track int) bool {
	for _, u := range units {
		if u.Track == track && id3.Size(elementary(u)) > 0 {
			return true
		}
	}
	return false
}

// examineAnnouncement holds the descriptors of a stream of metadata to
// hls-rules C34. seen tells that there is ID3 in it.
func examineAnnouncement(s *segment, m *ts.PMT, pid mux.PID, seen bool) {
	var loop []byte
	for i := range m.Streams {
		if m.Streams[i].PID == pid {
			loop = m.Streams[i].Descriptors
		}
	}
	service, announced := metadataService(loop, tagMetadata)
	pointed, points := metadataService(m.Descriptors, tagMetadataPointer)
	switch {
	case !announced && seen:
		s.find("C34", "PID 0x%04x carries ID3, but its metadata_descriptor in the PMT does not say so", pid)
	case announced && !points:
		s.find("C34", "PID 0x%04x is timed ID3, but the PMT has no metadata_pointer_descriptor for it", pid)
	case announced && pointed != service:
		s.find("C34", "PID 0x%04x is timed ID3 of metadata_service_id %d, but the metadata_pointer_descriptor says %d", pid, service, pointed)
	}
}

// metadataService returns the metadata_service_id in the first descriptor with
// the tag that is about ID3.
func metadataService(loop []byte, tag byte) (id byte, ok bool) {
	for len(loop) >= 2 && len(loop) >= 2+int(loop[1]) {
		data := loop[2 : 2+int(loop[1])]
		if n := len(metadataID3); loop[0] == tag && len(data) > n && string(data[:n]) == metadataID3 {
			return data[n], true
		}
		loop = loop[2+len(data):]
	}
	return 0, false
}

// examineTag holds a PES packet to hls-rules C35. rest is how many bytes of the
// tag before are still to come; it returns how many there are behind the packet.
func examineTag(s *segment, pid mux.PID, u *mux.Unit, rest int) int {
	const alignment, maxPES = 0x04, 0xffff
	head, es := pes(u), elementary(u)
	if len(head) < 9 {
		return 0
	}
	if rest > 0 {
		return max(0, rest-len(es))
	}
	size := id3.Size(es)
	switch {
	case head[3] != streamPrivate1:
		s.find("C34", "timed ID3 on PID 0x%04x has stream_id 0x%02x, which should be 0xbd", pid, head[3])
	case size == 0:
		s.find("C35", "a PES packet on PID 0x%04x does not start with an ID3 tag", pid)
	case size > len(es) && len(head) < maxPES:
		s.find("C35", "a PES packet on PID 0x%04x holds %d bytes of an ID3 tag of %d", pid, len(es), size)
	case head[6]&alignment == 0:
		s.find("C35", "data_alignment_indicator is not set where an ID3 tag starts on PID 0x%04x", pid)
	case u.Untimed:
		s.find("C35", "an ID3 tag on PID 0x%04x has no PTS", pid)
	}
	return max(0, size-len(es))
}
