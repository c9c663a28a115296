package codec

import "headwater/mux"

// aacBlock walks over the syntactic elements of a raw_data_block of AAC LC
// (ISO/IEC 14496-3 §4.4.2.1) as a decoder does, to find what the header does
// not say. It computes no sample.
type aacBlock struct {
	bitReader
	rate     int // sampling_frequency_index
	channels int // in the program_config_element; 0 if there is none

	sbr    bool      // a spectral band replication payload was found
	sbrAt  bitReader // it: the bits from bs_header_flag on
	sbrEnd int       // position in sbrAt that it ends before
}

// Syntactic elements (ISO/IEC 14496-3 §4.5.2.1).
const (
	elementSCE = iota
	elementCPE
	elementCCE
	elementLFE
	elementDSE
	elementPCE
	elementFIL
	elementEND
)

// walk reads the whole block. The error wraps mux.ErrInvalid or
// mux.ErrTruncated; what was found before it stays.
func (a *aacBlock) walk() error {
	for !a.short {
		ok := true
		switch a.read(3) { // id_syn_ele
		case elementSCE, elementLFE:
			a.read(4) // element_instance_tag
			ok = a.channel(nil)
		case elementCPE:
			ok = a.pair()
		case elementDSE:
			a.data()
		case elementPCE:
			a.config()
		case elementFIL:
			a.fillElement()
		case elementEND:
			if !a.short {
				return nil
			}
		default: // coupling channels are of no use to HE-AAC, and nobody sends them
			ok = false
		}
		if !ok && !a.short {
			return errRawData
		}
	}
	return errRawDataShort
}

// Walking errors are made once: a damaged stream may have many.
var (
	errRawData      = fault("raw_data_block", mux.ErrInvalid)
	errRawDataShort = fault("raw_data_block", mux.ErrTruncated)
)

// data skips a data_stream_element.
func (a *aacBlock) data() {
	a.read(4) // element_instance_tag
	align := a.flag()
	n := int(a.read(8))
	if n == 255 {
		n += int(a.read(8))
	}
	if align {
		a.align()
	}
	a.skip(8 * n)
}

// config counts the channels of a program_config_element (ISO/IEC 14496-3 §4.4.1.1).
func (a *aacBlock) config() {
	a.read(4 + 2 + 4) // element_instance_tag, object_type, sampling_frequency_index
	elements := int(a.read(4) + a.read(4) + a.read(4))
	lfe, data, coupling := int(a.read(2)), int(a.read(3)), int(a.read(4))
	for _, n := range [...]int{4, 4, 3} { // mixdowns
		if a.flag() {
			a.read(n)
		}
	}
	a.channels = elements + lfe
	for range elements {
		a.channels += int(a.read(1)) // is_cpe
		a.read(4)
	}
	a.skip(4*lfe + 4*data + 5*coupling)
	a.align()
	a.skip(8 * int(a.read(8))) // comment_field_data
}

// fillElement reads a fill_element and keeps what stands for the high band in it.
func (a *aacBlock) fillElement() {
	n := int(a.read(4))
	if n == 15 {
		n += int(a.read(8)) - 1
	}
	if n == 0 || a.short {
		return
	}
	const (
		extensionSBR    = 13
		extensionSBRCRC = 14
		checkWord       = 10
	)
	end := a.position() + 8*n
	kind := a.read(4) // extension_type
	if (kind == extensionSBR || kind == extensionSBRCRC) && !a.sbr && end <= 8*len(a.b) {
		a.sbr, a.sbrAt, a.sbrEnd = true, a.bitReader, end
		if kind == extensionSBRCRC {
			a.sbrAt.read(checkWord)
		}
	}
	a.skip(8*n - 4)
}

// pair reads a channel_pair_element.
func (a *aacBlock) pair() bool {
	a.read(4) // element_instance_tag
	var common *window
	if a.flag() { // common_window
		w, ok := a.info()
		if !ok {
			return false
		}
		if a.read(2) == 1 { // ms_mask_present
			a.skip(w.groups * w.maxSFB)
		}
		common = &w
	}
	for range 2 {
		if !a.channel(common) {
			return false
		}
	}
	return true
}

// window is what ics_info says.
type window struct {
	short   bool   // eight short windows instead of one long
	maxSFB  int    // scale factor bands that are coded
	groups  int    // of windows that share scale factors
	lengths [8]int // windows in each group
	bands   string // widths of the bands, see bandWidth
}

// info reads ics_info (ISO/IEC 14496-3 §4.4.2).
func (a *aacBlock) info() (window, bool) {
	const eightShort = 2
	a.read(1) // ics_reserved_bit
	sequence := a.read(2)
	a.read(1) // window_shape
	w := window{groups: 1, lengths: [8]int{1}, bands: longBands[a.rate]}
	if sequence != eightShort {
		w.maxSFB = int(a.read(6))
		// Prediction is of other object types.
		return w, !a.flag() && w.maxSFB <= len(w.bands)
	}
	w.short, w.bands, w.maxSFB = true, shortBands[a.rate], int(a.read(4))
	grouping := a.read(7) // scale_factor_grouping
	for i := 6; i >= 0; i-- {
		if grouping>>i&1 == 0 {
			w.groups++
		}
		w.lengths[w.groups-1]++
	}
	return w, w.maxSFB <= len(w.bands)
}

// channel reads an individual_channel_stream (ISO/IEC 14496-3 §4.4.2).
// common is the window of a pair, nil if the channel has its own.
func (a *aacBlock) channel(common *window) bool {
	a.read(8) // global_gain
	var w window
	if common != nil {
		w = *common
	} else {
		var ok bool
		if w, ok = a.info(); !ok {
			return false
		}
	}
	var sections [8][51]byte // the codebook of each band of each group
	if !a.sections(&w, &sections) {
		return false
	}
	a.scaleFactors(&w, &sections)
	if a.flag() { // pulse_data_present
		if w.short {
			return false
		}
		pulses := int(a.read(2)) + 1
		a.skip(6 + pulses*(5+4))
	}
	if a.flag() { // tns_data_present
		a.noiseShaping(&w)
	}
	if a.flag() { // gain_control_data_present: of another object type
		return false
	}
	return a.spectrum(&w, &sections)
}

// Codebooks that are none (ISO/IEC 14496-3 §4.6.3).
const (
	bookZero      = 0
	bookReserved  = 12
	bookNoise     = 13
	bookIntensity = 14 // and 15
)

// sections reads section_data.
func (a *aacBlock) sections(w *window, out *[8][51]byte) bool {
	bits := 5
	if w.short {
		bits = 3
	}
	escape := 1<<bits - 1
	for g := range w.groups {
		for band := 0; band < w.maxSFB; {
			k := byte(a.read(4)) // sect_cb
			n := 0
			for {
				more := int(a.read(bits)) // sect_len_incr
				n += more
				if more != escape || a.short {
					break
				}
			}
			if k == bookReserved || band+n > w.maxSFB || a.short {
				return false
			}
			for range n {
				out[g][band] = k
				band++
			}
		}
	}
	return true
}

// scaleFactors skips scale_factor_data.
func (a *aacBlock) scaleFactors(w *window, sections *[8][51]byte) {
	noise := false
	for g := range w.groups {
		for _, k := range sections[g][:w.maxSFB] {
			switch {
			case k == bookZero:
			case k == bookNoise && !noise: // the first energy is not coded
				noise = true
				a.read(9)
			default:
				a.huffman(&scaleFactorBook)
			}
		}
	}
}

// noiseShaping skips tns_data.
func (a *aacBlock) noiseShaping(w *window) {
	windows, filters, length, order := 1, 2, 6, 5
	if w.short {
		windows, filters, length, order = 8, 1, 4, 3
	}
	for range windows {
		n := int(a.read(filters))
		if n == 0 {
			continue
		}
		resolution := int(a.read(1)) + 3 // coef_res
		for range n {
			a.read(length)
			coefficients := int(a.read(order))
			if coefficients == 0 {
				continue
			}
			a.read(1)                           // direction
			bits := resolution - int(a.read(1)) // coef_compress
			a.skip(coefficients * bits)
		}
	}
}

// spectrum skips spectral_data.
func (a *aacBlock) spectrum(w *window, sections *[8][51]byte) bool {
	const firstOfTwo = 5 // books below code four coefficients a word
	for g := range w.groups {
		for band := range w.maxSFB {
			k := sections[g][band]
			if k == bookZero || k >= bookNoise {
				continue
			}
			words := bandWidth(w.bands[band]) * w.lengths[g] / 2
			if k < firstOfTwo {
				words /= 2
			}
			for range words {
				if !a.word(k) {
					return false
				}
			}
		}
	}
	return true
}

// word skips a word of a spectral codebook with its signs and escapes.
func (a *aacBlock) word(k byte) bool {
	b := &spectralBooks[k]
	if b.symbols == "" {
		a.huffman(b)
		return !a.short
	}
	signs, escapes := 0, 0
	switch s := a.symbol(b); s {
	case 'a':
		signs, escapes = 1, 1
	case 'b':
		signs, escapes = 2, 1
	case 'c':
		signs, escapes = 2, 2
	default:
		signs = int(s - '0')
	}
	a.read(signs)
	for range escapes {
		n := 4 // hcod_esc: ones, a zero, and four bits more than there were ones
		for a.flag() {
			if n++; n > 12 {
				return false
			}
		}
		a.read(n)
	}
	return !a.short
}
