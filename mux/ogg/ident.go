package ogg

import (
	"encoding/binary"

	"headwater/mux"
)

// ident is what the first packet of a logical bitstream says.
type ident struct {
	codec    mux.Codec
	rate     int // hertz, of granule positions
	channels int
	preskip  int64 // samples at the start that are not played; Opus only
	headers  int   // packets before the first of sound; 0: until one says that it is the last
}

// maxRate is beyond any sampling rate in use.
const maxRate = 1 << 20

// identify reads the first packet of a logical bitstream. It reports false if
// that is no sound that can be sent on, or makes no sense.
func identify(packet []byte) (ident, bool) {
	id := ident{}
	switch {
	case begins(packet, "\x01vorbis", 30): // Vorbis I §4.2.2
		id = ident{codec: mux.CodecVorbis, channels: int(packet[11]), headers: 3}
		id.rate = int(binary.LittleEndian.Uint32(packet[12:]) & 0x7fffffff)
	case begins(packet, "OpusHead", 19): // RFC 7845 §5.1; granule positions always count at 48 kHz
		id = ident{codec: mux.CodecOpus, channels: int(packet[9]), rate: 48000, headers: 2}
		id.preskip = int64(binary.LittleEndian.Uint16(packet[10:]))
	case begins(packet, "\x7fFLAC", 9+flacStream): // RFC 9639 §10.1
		id = flac(packet[9:])
		id.headers = int(binary.BigEndian.Uint16(packet[7:]))
		if id.headers > 0 {
			id.headers++ // it counts those behind this one
		} else if packet[13]&flacLast != 0 {
			id.headers = 1
		}
	}
	return id, id.channels > 0 && id.rate > 0 && id.rate <= maxRate
}

const (
	flacStream = 4 + 4 + 34 // "fLaC", the head of a metadata block and STREAMINFO
	flacLast   = 0x80       // in the first byte of a metadata block: none follows
	flacFrame  = 0xff       // the first byte of a packet of sound, and of no metadata block
)

// flac reads the STREAMINFO block behind "fLaC" (RFC 9639 §8.2).
func flac(b []byte) ident {
	const rateAt = 8 + 10
	v := binary.BigEndian.Uint32(b[rateAt:])
	return ident{codec: mux.CodecFLAC, rate: int(v >> 12), channels: int(v>>9&7) + 1}
}

// begins reports whether b begins with magic and has so many bytes.
func begins(b []byte, magic string, size int) bool {
	return len(b) >= size && string(b[:len(magic)]) == magic
}

// strangers are the first packets of what is left out.
var strangers = [...]struct{ magic, name string }{
	{"Speex   ", "Speex"}, {"\x80theora", "Theora"}, {"fishead\x00", "Skeleton"}, {"\x80kate\x00", "Kate"},
	{"BBCD\x00", "Dirac"}, {"OVP80", "VP8"}, {"PCM     ", "PCM"}, {"fLaC", "FLAC in its oldest form"}, {"CELT    ", "CELT"},
	{"\x01video\x00", "OGM video"}, {"\x01audio\x00", "OGM audio"}, {"\x01text\x00", "OGM text"},
}

// nameOf names what a first packet begins that [identify] does not take.
func nameOf(packet []byte) string {
	for _, s := range &strangers {
		if begins(packet, s.magic, len(s.magic)) {
			return s.name
		}
	}
	return "an unknown codec"
}

// comments returns the comment header that a header packet is, without what
// is around it; nil if it is another one.
func (id *ident) comments(packet []byte) []byte {
	switch {
	case id.codec == mux.CodecVorbis && begins(packet, "\x03vorbis", 7):
		return packet[7:]
	case id.codec == mux.CodecOpus && begins(packet, "OpusTags", 8):
		return packet[8:]
	case id.codec == mux.CodecFLAC && len(packet) > 4 && packet[0]&^flacLast == 4: // VORBIS_COMMENT
		return packet[4:]
	}
	return nil
}

// codecStrings are what media types call the codecs (RFC 5334 §4, RFC 7845 §9).
var codecStrings = map[mux.Codec]string{mux.CodecVorbis: "vorbis", mux.CodecOpus: "opus", mux.CodecFLAC: "flac"}

// parameters returns what is known of the track that begins with packet.
func (id *ident) parameters(packet []byte) mux.Parameters {
	return mux.Parameters{
		CodecString: codecStrings[id.codec],
		SampleRate:  id.rate,
		Channels:    id.channels,
		Config:      string(packet),
	}
}
