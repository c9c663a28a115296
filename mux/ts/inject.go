package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// inject puts the track's parameter sets into the unit under way, at byte at
// of its PES packet (hls-rules C10). The packets up to there are written anew,
// as 16 more, or a multiple of it, than they were: the continuity_counter of
// what follows stays right for whoever reads on. It returns the unit's packets.
func (d *Demuxer) inject(t *track, u *mux.Unit, at int) [][]byte {
	n, count := headPackets(t.runs, at) // packets that are replaced, and those of them with payload
	old := appendPayload(d.scratch[:0], t.runs, 0, count*mux.PacketSize)
	old = old[:min(len(old), payloadSize(t.runs, n))]
	d.scratch = old
	at = min(at, len(old))
	size := len(old) + len(t.video.sets)
	head := t.runs[0][:mux.PacketSize]
	field := adaptationField(head)
	count += 16
	for count*(mux.PacketSize-4)-len(field) < size {
		count += 16
	}

	body := d.memory.take(size)
	k := copy(body, old[:at])
	k += copy(body[k:], t.video.sets)
	copy(body[k:], old[at:])
	lengthen(body, len(t.video.sets))

	packets := d.memory.take(count * mux.PacketSize)
	cc := Continuity(head)
	for i := range count {
		p := packets[i*mux.PacketSize : (i+1)*mux.PacketSize]
		copy(p, []byte{syncByte, head[1] & 0x3f, head[2], 0x10 | cc&15})
		if i == 0 {
			p[1] |= flagUnitStart
		} else {
			field = nil
		}
		body = body[fillPacket(p, field, body, count-i-1):]
		cc++
	}
	u.Size += len(packets) - n*mux.PacketSize
	d.replaceHead(t, n, packets)
	return t.runs
}

// headPackets returns how many packets hold the first at bytes of payload, at
// least one, and how many of them carry payload.
func headPackets(runs [][]byte, at int) (n, withPayload int) {
	for _, r := range runs {
		for ; len(r) > 0; r = r[mux.PacketSize:] {
			size := mux.PacketSize - payloadOffset(r)
			n++
			if size > 0 {
				withPayload++
			}
			if at -= size; at <= 0 {
				return n, withPayload
			}
		}
	}
	return n, withPayload
}

// payloadSize returns the bytes of payload in the first n packets.
func payloadSize(runs [][]byte, n int) int {
	size := 0
	for _, r := range runs {
		for ; len(r) > 0 && n > 0; r = r[mux.PacketSize:] {
			size += mux.PacketSize - payloadOffset(r)
			n--
		}
	}
	return size
}

// adaptationField returns one with its length for the first packet: what of
// head's can be kept, with random_access_indicator.
func adaptationField(head []byte) []byte {
	flags := adaptationFlags(head)
	field := []byte{1, flags&(flagDiscontinuity|flagPriority) | flagRandomAccess}
	if flags&flagPCR != 0 && head[4] >= 7 {
		field[0], field[1] = 7, field[1]|flagPCR
		field = append(field, head[6:12]...)
	}
	return field
}

// fillPacket writes adaptation field and payload behind the header of p. It
// leaves at least later bytes of body for the packets after it, pads p with
// stuffing, and returns how many bytes of body it took.
func fillPacket(p, field, body []byte, later int) int {
	n := min(mux.PacketSize-4-len(field), len(body)-later)
	stuff := mux.PacketSize - 4 - len(field) - n
	if len(field)+stuff > 0 {
		p[3] |= 0x20
		if len(field) == 0 {
			field = append(field, 0)
			if stuff--; stuff > 0 {
				field = append(field, 0)
				stuff--
			}
		}
		k := 4 + copy(p[4:], field)
		for i := range stuff {
			p[k+i] = 0xff
		}
		p[4] = byte(len(field) - 1 + stuff)
	}
	copy(p[mux.PacketSize-n:], body[:n])
	return n
}

// lengthen adds n to the PES_packet_length of b, unless that is 0; if it does
// not fit it becomes 0, which video may have.
func lengthen(b []byte, n int) {
	if len(b) < 6 {
		return
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length == 0 {
		return
	}
	if length += n; length > 0xffff {
		length = 0
	}
	binary.BigEndian.PutUint16(b[4:], uint16(length))
}
