package segmenter

// Held returns how many bytes of media are in slots that are not handed out
// yet, or wait for the first one to begin.
func (s *Segmenter) Held() int64 {
	var bytes int64
	for _, o := range s.slots.open {
		bytes += o.bytes
	}
	if s.measure != nil {
		bytes += int64(s.measure.bytes)
	}
	return bytes
}
