package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// StreamTypeID3 is the stream_type of timed ID3 (hls-rules C34).
const StreamTypeID3 = typeMetadata

// What the descriptors of timed ID3 say. Both stand for the same service.
const (
	metadataAny     = 0xffff // of metadata_application_format: an identifier follows
	metadataFormat  = 0xff   // of metadata_format: likewise
	metadataID3Name = "ID3 "
	metadataService = 0
)

// appendMetadataPointer appends the metadata_pointer_descriptor by which a
// program says that one of its streams is timed ID3 (ISO/IEC 13818-1 §2.6.58;
// Apple, Timed Metadata for HTTP Live Streaming; hls-rules C34).
func appendMetadataPointer(dst []byte, program uint16) []byte {
	dst = appendMetadata(append(dst, tagMetadataPointer, 15))
	dst = append(dst, 0x1f) // no locator, carried in this transport stream
	return binary.BigEndian.AppendUint16(dst, program)
}

// appendMetadataDescriptor appends the metadata_descriptor of the stream itself
// (ISO/IEC 13818-1 §2.6.60).
func appendMetadataDescriptor(dst []byte) []byte {
	dst = appendMetadata(append(dst, tagMetadata, 13))
	return append(dst, 0x0f) // no decoder configuration, no DSM-CC
}

// appendMetadata appends what both descriptors begin with.
func appendMetadata(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, metadataAny)
	dst = append(append(dst, metadataID3Name...), metadataFormat)
	return append(append(dst, metadataID3Name...), metadataService)
}

// tagHead is the length of the header of a PES packet with a PTS only.
const tagHead = 14

// TagPackets returns how many packets the PES packet with an ID3 tag takes.
func TagPackets(tag []byte) int {
	const room = mux.PacketSize - 4
	return (tagHead + len(tag) + room - 1) / room
}

// AppendTag appends the PES packet that carries one whole ID3 tag, with its
// time, in n packets: as many as [TagPackets] says, or more, up to the length
// of the tag. The first has the continuity_counter cc (its low four bits); each
// further one counts on. A tag is at most 65,000 bytes.
//
// Apple, Timed Metadata for HTTP Live Streaming; hls-rules C35.
func AppendTag(dst []byte, pid mux.PID, cc uint8, pts mux.Ticks, tag []byte, n int) []byte {
	const (
		streamPrivate1 = 0xbd
		alignment      = 0x84
		hasPTS         = 0x80
		prefixPTS      = 2
	)
	body := make([]byte, tagHead, tagHead+len(tag))
	copy(body, []byte{0, 0, 1, streamPrivate1, 0, 0, alignment, hasPTS, tagHead - 9})
	binary.BigEndian.PutUint16(body[4:], uint16(tagHead-6+len(tag)))
	putTimestamp(body[9:], prefixPTS, pts)
	body = append(body, tag...)
	start := byte(flagUnitStart)
	for i := range n {
		at := len(dst)
		dst = append(dst, make([]byte, mux.PacketSize)...)
		p := dst[at:]
		copy(p, []byte{syncByte, start | byte(pid>>8)&0x1f, byte(pid), 0x10 | cc&0x0f})
		body = body[fillPacket(p, nil, body, n-i-1):]
		start, cc = 0, cc+1
	}
	return dst
}
