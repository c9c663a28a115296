package codec

// book is a Huffman code of ISO/IEC 14496-3 §4.6.3 or §4.6.18. All of them are
// canonical: in the order of their codes, words do not get shorter. So the
// number of words of each length, up to 20, tells the code.
type book struct {
	words   [longestWord + 1]uint8
	symbols string // one for each word in the order of codes; empty where nothing hangs on the word
}

const longestWord = 20

// huffman reads one word of k and returns its place in the order of codes.
func (r *bitReader) huffman(k *book) int {
	bits := r.peek(longestWord)
	first, before := uint32(0), 0 // the least code of length n, and the words shorter than n
	for n := 1; n <= longestWord; n++ {
		words := uint32(k.words[n])
		if at := bits>>(longestWord-n) - first; at < words {
			r.read(n)
			return before + int(at)
		}
		before += int(words)
		first = (first + words) << 1
	}
	r.fail() // not reached with a complete code
	return 0
}

// symbol reads one word of k and returns what it stands for.
func (r *bitReader) symbol(k *book) byte { return k.symbols[r.huffman(k)] }

// Spectral codebooks 1 to 11 (ISO/IEC 14496-3 annex 4.A.1). To pass
// over coefficients, only what follows a word must be known: in the unsigned
// books (3, 4 and 7 to 11) a sign bit for each coefficient that is not 0, and
// in book 11 an escape for each that is 16. A symbol is the number of signs,
// or in book 11 a letter: a is one sign and one escape, b two and one, c two and two.
var spectralBooks = [12]book{
	1: {words: [...]uint8{1: 1, 5: 8, 7: 24, 9: 24, 10: 8, 11: 16, 20: 0}},
	2: {words: [...]uint8{3: 1, 1, 7, 24, 15, 19, 14, 20: 0}},
	3: {words: [...]uint8{1: 1, 4: 4, 2, 6, 3, 5, 15, 15, 8, 9, 3, 3, 5, 2, 20: 0},
		symbols: "011112222232343311223232331221224334323244332333223243344233333344442233434443233"},
	4: {words: [...]uint8{4: 10, 6, 7: 9, 21, 8, 14, 11, 2, 20: 0},
		symbols: "433331202222121144443333333333332222222222221111444444333333333433344422222243333"},
	5: {words: [...]uint8{1: 1, 4: 4, 4, 7: 4, 12, 12, 12, 18, 10, 4, 20: 0}},
	6: {words: [...]uint8{4: 9, 6: 16, 13, 8, 23, 8, 4, 20: 0}},
	7: {words: [...]uint8{1: 1, 3: 2, 1, 6: 4, 5, 10, 14, 15, 8, 4, 20: 0},
		symbols: "0112221122211222222221122212122222222211222222222222112222222222"},
	8: {words: [...]uint8{3: 1, 5, 7, 10, 14, 15, 8, 4, 20: 0},
		symbols: "2212120112222222221122222222221212222222121222222222221212222112"},
	9: {words: [...]uint8{1: 1, 3: 2, 1, 6: 4, 3, 8, 11, 20, 31, 38, 32, 14, 4, 20: 0},
		symbols: "0112221122211222222221122222221212222222212222222212221222212222112222222222222122212222222222222" +
			"222222212212222222122222222222222212212222122222222222222222222222222222"},
	10: {words: [...]uint8{4: 3, 8, 14, 17, 25, 31, 41, 22, 8, 20: 0},
		symbols: "2222112222211222202211222222222222121222222222222121222222222222222222122222122222222222222222121" +
			"222222212222221222222222222222221212122222222222222212122212221222222122"},
	11: {words: [...]uint8{4: 2, 6, 7, 16, 59, 55, 95, 43, 6, 20: 0},
		symbols: "02c11222222121222222211222222222222222bbbbb2b121b2bbbb22222bb22bbb22b2bbb2b22bb2221bb222212bb22b2" +
			"b2222222b221222222122222222222222122222222222a222222a21222222222222222222222222222222122222222222" +
			"22222221222222222222222222222222222112222222222222222222222222212212122212222211222212212112112"},
}

// Books of which only the length of a word matters.
var (
	// scaleFactorBook codes the differences of scale factors, too (ISO/IEC 14496-3 annex 4.A.1).
	scaleFactorBook = book{words: [...]uint8{1: 1, 3: 1, 3, 2, 4, 3, 5, 4, 6, 6, 6, 5, 8, 4, 7, 3, 7, 46, 20: 0}}

	// The envelope of the high band and its noise, coded against the time
	// before or the frequency below (annex 4.A.6). The step is
	// 1.5 dB or 3 dB; noise over frequency uses envelopeFreq3dB.
	envelopeTime15dB = book{words: [...]uint8{2: 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2, 3, 4, 2, 7, 4, 8, 72, 20: 0}}
	envelopeFreq15dB = book{words: [...]uint8{2: 2, 2, 2, 2, 2, 1, 3, 3, 2, 4, 4, 4, 3, 2, 5, 6, 13, 15, 46}}
	envelopeTime3dB  = book{words: [...]uint8{1: 1, 1, 1, 1, 1, 1, 1, 1, 1, 11: 2, 1, 2, 5, 1, 4, 2, 3, 34, 20: 0}}
	envelopeFreq3dB  = book{words: [...]uint8{1: 1, 1, 1, 1, 1, 1, 8: 2, 2, 2, 2, 2, 1, 2, 3, 4, 4, 7, 10, 16}}
	noiseTime3dB     = book{words: [...]uint8{1: 1, 1, 1, 1, 1, 1, 8: 2, 10: 1, 1, 13: 51, 2, 20: 0}}
)

// longBands and shortBands hold, for each sampling_frequency_index, the widths
// of the scale factor bands in quarters, as digits of base 36, of a long window
// of 1024 and a short one of 128 coefficients (ISO/IEC 14496-3 §4.5.4).
var (
	longBands  = [13]string{long96, long96, long64, long48, long48, long32, long24, long24, long16, long16, long16, long8, long8}
	shortBands = [13]string{short96, short96, short96, short48, short48, short48, short24, short24, short16, short16, short16, short8, short8}
)

const (
	long96 = "11111111111111222223333344679bggggggggggg"
	long64 = "11111111111111222233344456679aaaaaaaaaaaaaaaaaa"
	long48 = "111111111122222223333445566778888888888888888888o"
	long32 = "111111111122222223333445566778888888888888888888888"
	long24 = "1111111111122222222223333444556677899abcddggggg"
	long16 = "222222222223333333334444555667789aabcdefggg"
	long8  = "33333333333334444444555566677899abcdefgk"

	short96 = "111111222479"
	short48 = "11111222333444"
	short24 = "111111122233445"
	short16 = "111111112233455"
	short8  = "111111122223455"
)

// bandWidth returns the number of coefficients that a digit of longBands or
// shortBands stands for.
func bandWidth(digit byte) int {
	if digit >= 'a' {
		return 4 * int(digit-'a'+10)
	}
	return 4 * int(digit-'0')
}
