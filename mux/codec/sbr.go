package codec

import (
	"math"
	"slices"
)

// sbrReader walks over the spectral band replication data of one channel
// (ISO/IEC 14496-3 §4.4.2.8) to find whether parametric stereo follows it. The
// number of bits that it takes depends on the frequency tables, which a
// header tells now and then; the reader keeps it from frame to frame.
type sbrReader struct {
	rate   int // hertz, of the output: twice the core's
	header sbrHeader
	known  bool // header was read
	tables sbrTables
	usable bool // tables are valid
}

// sbrHeader is what sbr_header says that the length of the data depends on
// (ISO/IEC 14496-3 §4.4.2.8).
type sbrHeader struct {
	resolution  bool // bs_amp_res: envelopes in steps of 3 dB, not 1.5
	start, stop int  // bs_start_freq, bs_stop_freq
	crossover   int  // bs_xover_band
	scale       int  // bs_freq_scale
	alter       bool // bs_alter_scale
	noiseBands  int  // bs_noise_bands
}

// sbrTables holds how many bands there are (ISO/IEC 14496-3 §4.6.18.3).
type sbrTables struct {
	bands [2]int // in an envelope of low and of high frequency resolution
	noise int
}

// frame reads the payload that r stands at, up to position end. It returns
// whether parametric stereo is in it; ok is false if that cannot be told, for
// want of a header or because of an error.
func (s *sbrReader) frame(r *bitReader, end int) (stereo, ok bool) {
	if r.flag() { // bs_header_flag
		s.readHeader(r)
	}
	if !s.usable || r.short {
		return false, false
	}
	if r.flag() { // bs_data_extra
		r.read(4)
	}
	grid, ok := s.grid(r)
	if !ok {
		return false, false
	}
	s.envelopes(r, &grid)
	if r.flag() { // bs_add_harmonic_flag
		r.skip(s.tables.bands[1])
	}
	if r.short || r.position() > end {
		return false, false
	}
	if !r.flag() { // bs_extended_data
		return false, true
	}
	const extensionPS = 2
	size := r.read(4) // bs_extension_size
	if size == 15 {
		size += r.read(8)
	}
	return size > 0 && r.read(2) == extensionPS && r.position() <= end, true
}

// readHeader reads sbr_header.
func (s *sbrReader) readHeader(r *bitReader) {
	h := sbrHeader{scale: 2, alter: true, noiseBands: 2}
	h.resolution = r.flag()
	h.start, h.stop = int(r.read(4)), int(r.read(4))
	h.crossover = int(r.read(3))
	r.read(2) // bs_reserved
	extra1, extra2 := r.flag(), r.flag()
	if extra1 {
		h.scale, h.alter, h.noiseBands = int(r.read(2)), r.flag(), int(r.read(2))
	}
	if extra2 {
		r.read(2 + 2 + 1 + 1) // limiter and smoothing
	}
	if !r.short && (!s.known || h != s.header) {
		s.header, s.known = h, true
		s.tables, s.usable = h.tables(s.rate)
	}
}

// sbrGrid is the division of a frame in time (ISO/IEC 14496-3 §4.6.18.3.3).
type sbrGrid struct {
	envelopes  int
	fine       [8]bool // the envelope has the high frequency resolution
	noise      int     // noise floors
	resolution bool    // as in sbrHeader, for this frame
}

// grid reads sbr_grid.
func (s *sbrReader) grid(r *bitReader) (sbrGrid, bool) {
	const fixFix, fixVar, varFix, varVar = 0, 1, 2, 3
	g := sbrGrid{noise: 2, resolution: s.header.resolution}
	class := r.read(2) // bs_frame_class
	borders := 0
	switch class {
	case fixFix:
		g.envelopes = 1 << r.read(2)
		fine := r.flag()
		for i := range g.envelopes {
			g.fine[i] = fine
		}
		if g.envelopes == 1 {
			g.noise, g.resolution = 1, false
		}
		return g, !r.short
	case fixVar, varFix:
		r.read(2) // bs_var_bord
		borders = int(r.read(2))
	case varVar:
		r.read(2 + 2)
		borders = int(r.read(2) + r.read(2))
	}
	g.envelopes = borders + 1
	if g.envelopes == 1 {
		g.noise = 1
	}
	if g.envelopes > 5 {
		return g, false
	}
	r.read(2 * borders)                                         // bs_rel_bord
	r.read([...]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3}[g.envelopes]) // bs_pointer
	for i := range g.envelopes {
		if class == fixVar { // from the last one back
			i = g.envelopes - 1 - i
		}
		g.fine[i] = r.flag()
	}
	return g, !r.short
}

// envelopes skips sbr_dtdf, sbr_invf, sbr_envelope and sbr_noise (ISO/IEC
// 14496-3 §4.4.2.8).
func (s *sbrReader) envelopes(r *bitReader, g *sbrGrid) {
	time, freq, first := &envelopeTime15dB, &envelopeFreq15dB, 7
	if g.resolution {
		time, freq, first = &envelopeTime3dB, &envelopeFreq3dB, 6
	}
	overTime := r.read(g.envelopes)  // bs_df_env
	noiseOverTime := r.read(g.noise) // bs_df_noise
	r.skip(2 * s.tables.noise)       // bs_invf_mode
	for i := range g.envelopes {
		bands := s.tables.bands[0]
		if g.fine[i] {
			bands = s.tables.bands[1]
		}
		r.deltas(bands, overTime>>(g.envelopes-1-i)&1 == 1, time, freq, first)
	}
	for i := range g.noise {
		r.deltas(s.tables.noise, noiseOverTime>>(g.noise-1-i)&1 == 1, &noiseTime3dB, &envelopeFreq3dB, 5)
	}
}

// deltas skips n values, coded against the time before with one book, or
// against the frequency below with another, behind a first one of so many bits.
func (r *bitReader) deltas(n int, overTime bool, time, freq *book, first int) {
	k := time
	if !overTime {
		k = freq
		r.read(first)
		n--
	}
	for range n {
		r.huffman(k)
	}
}

// tables derives the frequency tables for an output rate in hertz (ISO/IEC
// 14496-3 §4.6.18.3.2). It returns false if the header breaks a rule.
func (h sbrHeader) tables(rate int) (sbrTables, bool) {
	low, high := h.edges(rate)
	widest := 48
	switch {
	case rate >= 48000:
		widest = 32
	case rate >= 44100:
		widest = 35
	}
	if high <= low || high-low > widest {
		return sbrTables{}, false
	}
	widths := h.masterWidths(low, high)
	if h.crossover >= len(widths) || slices.Min(widths) <= 0 {
		return sbrTables{}, false
	}
	for _, w := range widths[:h.crossover] {
		low += w
	}
	fine := len(widths) - h.crossover
	noise := max(1, nearest(float64(h.noiseBands)*math.Log2(float64(high)/float64(low))))
	return sbrTables{bands: [2]int{(fine + 1) / 2, fine}, noise: noise}, noise <= 5 && low <= 32
}

// edges returns the first subband of the high band, and that behind its last.
func (h sbrHeader) edges(rate int) (low, high int) {
	start, stop := 3000, 6000
	switch {
	case rate >= 64000:
		start, stop = 5000, 10000
	case rate >= 32000:
		start, stop = 4000, 8000
	}
	subband := func(hertz int) int { return nearest(float64(hertz) * 128 / float64(rate)) }
	low = subband(start) + sbrStartOffset(rate, h.start)
	switch h.stop {
	case 14:
		return low, min(64, 2*low)
	case 15:
		return low, min(64, 3*low)
	}
	const steps = 13
	high = subband(stop)
	for _, w := range sbrGeometric(high, 64, steps)[:h.stop] {
		high += w
	}
	return low, min(64, high)
}

// sbrStartOffset returns what bs_start_freq adds to the first subband for an
// output rate in hertz.
func sbrStartOffset(rate, start int) int {
	offsets := [16]int8{-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 24} // above 64 kHz
	switch {
	case rate <= 16000:
		offsets = [16]int8{-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}
	case rate <= 22050:
		offsets = [16]int8{-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13}
	case rate <= 24000:
		offsets = [16]int8{-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16}
	case rate <= 32000:
		offsets = [16]int8{-6, -4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16}
	case rate <= 64000:
		offsets = [16]int8{-4, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20}
	}
	return int(offsets[start])
}

// masterWidths returns the widths of the master frequency table's bands, in
// subbands, for the subbands from low to before high.
func (h sbrHeader) masterWidths(low, high int) []int {
	if h.scale == 0 {
		return h.linearWidths(high - low)
	}
	const twoRegions = 2.2449
	perOctave := 14 - 2*h.scale
	middle := high
	if float64(high)/float64(low) > twoRegions {
		middle = 2 * low
	}
	widths := sbrGeometric(low, middle, 2*nearest(float64(perOctave)*math.Log2(float64(middle)/float64(low))/2))
	if middle == high || len(widths) == 0 {
		return widths
	}
	warp := 1.0
	if h.alter {
		warp = 1.3
	}
	upper := sbrGeometric(middle, high, 2*nearest(float64(perOctave)*math.Log2(float64(high)/float64(middle))/(2*warp)))
	if len(upper) == 0 {
		return widths
	}
	last := len(upper) - 1
	if widest := widths[len(widths)-1]; upper[0] < widest {
		change := min(widest-upper[0], (upper[last]-upper[0])/2)
		upper[0] += change
		upper[last] -= change
		slices.Sort(upper)
	}
	return append(widths, upper...)
}

// linearWidths divides n subbands alike.
func (h sbrHeader) linearWidths(n int) []int {
	width, bands := 1, n/2*2
	if h.alter {
		width, bands = 2, (n+2)/4*2
	}
	widths := make([]int, bands)
	for i := range widths {
		widths[i] = width
	}
	rest := n - width*bands
	for i := 0; rest < 0 && i < bands; i++ { // the lowest give
		widths[i]--
		rest++
	}
	for i := bands - 1; rest > 0 && i >= 0; i-- { // the highest take
		widths[i]++
		rest--
	}
	return widths
}

// sbrGeometric divides the subbands from low to high into n bands whose edges
// are a geometric series, and returns their widths, the least first.
func sbrGeometric(low, high, n int) []int {
	widths := make([]int, max(n, 0))
	from := low
	for i := range widths {
		to := nearest(float64(low) * math.Pow(float64(high)/float64(low), float64(i+1)/float64(n)))
		widths[i], from = to-from, to
	}
	slices.Sort(widths)
	return widths
}

// nearest rounds half up.
func nearest(x float64) int { return int(math.Floor(x + 0.5)) }
