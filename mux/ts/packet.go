package ts

// Syntax of the packet and section headers (ISO/IEC 13818-1 §2.4.3.2, §2.4.4.4).
const (
	syncByte = 0x47

	tablePAT = 0x00
	tablePMT = 0x02
	// maxSection is the length of the longest PAT or PMT section.
	maxSection = 1024
)
