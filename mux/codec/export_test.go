package codec

// WalkAAC walks over the raw data of an ADTS frame to its end.
func WalkAAC(frame []byte) error {
	h, err := ParseADTS(frame)
	if err != nil {
		return err
	}
	a := aacBlock{bitReader: bitReader{b: frame[h.HeaderSize:h.Size]}, rate: h.SampleRateIndex}
	if err := a.walk(); err != nil {
		return err
	}
	if rest := 8*len(a.b) - a.position(); rest >= 8 && h.Blocks == 1 {
		return fault("byte_alignment", errRawData)
	}
	return nil
}

// SBRRest returns how many bits of the high band of a frame of one channel
// were left when all that the tables call for was read.
func SBRRest(rate int, frames [][]byte) (rest []int) {
	s := sbrReader{rate: rate}
	for _, frame := range frames {
		h, _ := ParseADTS(frame)
		a := aacBlock{bitReader: bitReader{b: frame[h.HeaderSize:h.Size]}, rate: h.SampleRateIndex}
		if a.walk() != nil || !a.sbr {
			continue
		}
		if stereo, ok := s.frame(&a.sbrAt, a.sbrEnd); ok && !stereo {
			rest = append(rest, a.sbrEnd-a.sbrAt.position())
		}
	}
	return rest
}

// Books returns for each Huffman code the sum of 2^-length over its words in
// units of 2^-20, the number of words and that of symbols.
func Books() (list [][3]int) {
	books := append([]book{scaleFactorBook, envelopeTime15dB, envelopeFreq15dB, envelopeTime3dB, envelopeFreq3dB, noiseTime3dB}, spectralBooks[1:]...)
	for _, b := range books {
		sum, words := 0, 0
		for n, k := range b.words {
			sum += int(k) << (longestWord - n)
			words += int(k)
		}
		list = append(list, [3]int{sum, words, len(b.symbols)})
	}
	return list
}

// BandSums returns how many coefficients the bands of each rate have.
func BandSums() (long, short []int) {
	sum := func(bands string) (n int) {
		for i := range bands {
			n += bandWidth(bands[i])
		}
		return n
	}
	for i := range longBands {
		long, short = append(long, sum(longBands[i])), append(short, sum(shortBands[i]))
	}
	return long, short
}
