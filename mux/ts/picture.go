package ts

import (
	"bytes"

	"headwater/mux"
	"headwater/mux/codec"
)

// video is what the demuxer remembers of a video track.
type video struct {
	sps  []byte // of which the track's parameters tell
	sets []byte // the parameter sets last seen together, with start codes
}

// How much of a picture is looked at, at first and at most: a picture may
// begin with a long SEI.
const (
	firstLook = 2 << 10
	lastLook  = 64 << 10
)

// picture fills in what the head of a picture tells. b is the beginning of the
// PES packet. It returns the packets of the unit: those that came, or with
// parameter sets put in.
func (d *Demuxer) picture(t *track, u *mux.Unit, h *pesHeader, b []byte) [][]byte {
	info := &d.program.Tracks[t.index]
	pic := codec.ScanPicture(info.Codec, b[min(h.size, len(b)):])
	for look := firstLook; !pic.Done && look <= lastLook; look *= 8 {
		b = d.gather(t.runs, h.size, look)
		pic = codec.ScanPicture(info.Codec, b)
		if len(b) < look { // that is all
			break
		}
	}
	d.parameterSets(t, u, &pic)
	if pic.Access == mux.AccessNone || len(t.video.sets) == 0 {
		return t.runs
	}
	u.Access = pic.Access
	if !pic.HasParameters {
		return d.inject(t, u, h.size+pic.AfterAUD)
	}
	if pic.Access == mux.AccessRandom {
		d.markRandomAccess(t)
	}
	return t.runs
}

// parameterSets takes over the parameter sets of a picture. Those of a damaged
// one are not believed if others are known.
func (d *Demuxer) parameterSets(t *track, u *mux.Unit, pic *codec.Picture) {
	v := &t.video
	if u.Damaged && v.sets != nil {
		return
	}
	if pic.HasParameters && !bytes.Equal(pic.ParameterSets, v.sets) {
		v.sets = bytes.Clone(pic.ParameterSets)
	}
	if pic.SPS == nil || bytes.Equal(pic.SPS, v.sps) {
		return
	}
	info := &d.program.Tracks[t.index]
	parameters, err := codec.VideoParameters(info.Codec, *pic)
	if err != nil {
		d.report(t.pid, "parameter set", err)
		return
	}
	v.sps = bytes.Clone(pic.SPS)
	d.learn(t.index, info.Codec, parameters)
}

// markRandomAccess sets random_access_indicator in a copy of the first packet
// if it has an adaptation field and lacks it (hls-rules C09).
func (d *Demuxer) markRandomAccess(t *track) {
	p := t.runs[0][:mux.PacketSize]
	if p[3]&0x20 == 0 || p[4] == 0 || p[5]&flagRandomAccess != 0 {
		return
	}
	q := d.memory.keep(p)
	q[5] |= flagRandomAccess
	d.replaceHead(t, 1, q)
}

// replaceHead puts packets in place of the first n of the unit under way.
func (d *Demuxer) replaceHead(t *track, n int, packets []byte) {
	n *= mux.PacketSize
	rest := t.runs
	for n > 0 && len(rest[0]) <= n {
		n -= len(rest[0])
		rest = rest[1:]
	}
	dropped := len(t.runs) - len(rest)
	if n > 0 {
		rest[0] = rest[0][n:]
	}
	if dropped > 0 {
		t.runs = t.runs[dropped-1:]
	} else {
		t.runs = append(t.runs, nil)
		copy(t.runs[1:], t.runs)
	}
	t.runs[0] = packets
}
