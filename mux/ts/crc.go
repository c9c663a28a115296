package ts

// crcNibble holds the CRC_32 of each four-bit value.
var crcNibble = [16]uint32{
	0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
	0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
}

// crc32 returns the CRC_32 of b. Over a whole section, CRC_32 field included,
// it is 0 (ISO/IEC 13818-1 annex A).
//
// Four bits a step are enough: a section is checked only when it differs from the last one.
func crc32(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc = crc<<4 ^ crcNibble[byte(crc>>28)^c>>4]
		crc = crc<<4 ^ crcNibble[byte(crc>>28)^c&0x0f]
	}
	return crc
}
