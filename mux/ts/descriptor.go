package ts

import (
	"iter"
	"slices"

	"headwater/mux"
)

// Stream types (ISO/IEC 13818-1 table 2-34, and what ATSC, SCTE and Blu-ray assigned).
const (
	typeMPEG1Video  = 0x01
	typeMPEG2Video  = 0x02
	typeMPEG1Audio  = 0x03
	typeMPEG2Audio  = 0x04
	typeSections    = 0x05
	typePrivatePES  = 0x06
	typeDSMCCFirst  = 0x0a
	typeDSMCCLast   = 0x0d
	typeADTS        = 0x0f
	typeLATM        = 0x11
	typeSLSections  = 0x13
	typeDownload    = 0x14
	typeMetadata    = 0x15
	typeMetaSection = 0x16
	typeH264        = 0x1b
	typeHEVC        = 0x24
	typeAC3         = 0x81
	typeSCTE35      = 0x86
	typeEAC3        = 0x87
)

// Descriptor tags (ISO/IEC 13818-1 table 2-45, ETSI EN 300 468 table 12).
const (
	tagRegistration    = 0x05
	tagCA              = 0x09
	tagLanguage        = 0x0a
	tagMetadataPointer = 0x25
	tagMetadata        = 0x26
	tagTeletext        = 0x56
	tagSubtitling      = 0x59
	tagDVBAC3          = 0x6a
	tagDVBEAC3         = 0x7a
)

// descriptors yields tag and data of each descriptor of a loop; one whose
// length is a lie ends it.
func descriptors(loop []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for len(loop) >= 2 {
			n := 2 + int(loop[1])
			if n > len(loop) || !yield(loop[0], loop[2:n]) {
				return
			}
			loop = loop[n:]
		}
	}
}

// appendDescriptors appends a descriptor loop without the tags in drop.
func appendDescriptors(dst, loop []byte, drop ...byte) []byte {
	for tag, data := range descriptors(loop) {
		if !slices.Contains(drop, tag) {
			dst = append(append(dst, tag, byte(len(data))), data...)
		}
	}
	return dst
}

// registration returns the first format_identifier of a loop, or "".
func registration(loop []byte) string {
	for tag, data := range descriptors(loop) {
		if tag == tagRegistration && len(data) >= 4 {
			return string(data[:4])
		}
	}
	return ""
}

// has reports whether a loop holds a descriptor with the tag.
func has(loop []byte, tag byte) bool {
	for t := range descriptors(loop) {
		if t == tag {
			return true
		}
	}
	return false
}

// language returns the first ISO 639-2 code of a loop, or "".
func language(loop []byte) string {
	for tag, data := range descriptors(loop) {
		if tag != tagLanguage || len(data) < 3 {
			continue
		}
		for _, c := range data[:3] {
			if c|0x20 < 'a' || c|0x20 > 'z' {
				return ""
			}
		}
		return string([]byte{data[0] | 0x20, data[1] | 0x20, data[2] | 0x20})
	}
	return ""
}

// codecOf tells what a stream carries from its type, its descriptors and the
// registration of its program (hls-rules C19). Types 0x03 and 0x04 do not
// tell the layer: they are taken for layer III until a frame says otherwise.
func codecOf(s *Stream, program string) mux.Codec {
	switch s.Type {
	case typeMPEG1Video, typeMPEG2Video:
		return mux.CodecMPEG2Video
	case typeMPEG1Audio, typeMPEG2Audio:
		return mux.CodecMP3
	case typeADTS:
		return mux.CodecAAC
	case typeLATM:
		return mux.CodecLATM
	case typeH264:
		return mux.CodecH264
	case typeHEVC:
		return mux.CodecHEVC
	case typeAC3:
		return mux.CodecAC3
	case typeEAC3:
		return mux.CodecEAC3
	case typeSCTE35:
		if program == "HDMV" { // DTS-HD there
			return mux.CodecData
		}
		return mux.CodecSCTE35
	case typePrivatePES:
		return privateCodec(s.Descriptors)
	case typeMetadata:
		if metadataID3(s.Descriptors) || registration(s.Descriptors) == "ID3 " {
			return mux.CodecID3
		}
	}
	return mux.CodecData
}

// privateCodec tells what a stream of type 0x06 carries.
func privateCodec(loop []byte) mux.Codec {
	switch registration(loop) {
	case "AC-3":
		return mux.CodecAC3
	case "EAC3":
		return mux.CodecEAC3
	case "Opus":
		return mux.CodecOpus
	case "HEVC":
		return mux.CodecHEVC
	case "ID3 ":
		return mux.CodecID3
	}
	switch {
	case has(loop, tagDVBAC3):
		return mux.CodecAC3
	case has(loop, tagDVBEAC3):
		return mux.CodecEAC3
	}
	return mux.CodecData
}

// metadataID3 reports whether a metadata_descriptor names ID3 (hls-rules C34).
func metadataID3(loop []byte) bool {
	for tag, data := range descriptors(loop) {
		if tag == tagMetadata && len(data) >= 7 && data[0] == 0xff && data[1] == 0xff && string(data[2:6]) == "ID3 " {
			return true
		}
	}
	return false
}

// carriesSections reports whether a stream type is carried in sections, not in PES packets.
func carriesSections(typ uint8, c mux.Codec) bool {
	switch typ {
	case typeSections, typeSLSections, typeDownload, typeMetaSection:
		return true
	case typeSCTE35:
		return c == mux.CodecSCTE35
	}
	return typ >= typeDSMCCFirst && typ <= typeDSMCCLast
}
