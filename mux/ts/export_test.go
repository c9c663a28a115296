package ts

// Break lets the next Write meet a panic inside gomedia.
func (m *AudioMuxer) Break() { m.moulder.muxer, m.moulder.kept = nil, map[int]mould{} }
