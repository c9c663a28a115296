package live

// icy is where one listener is between two notices (hls-rules F05). It counts
// what was sent, so it stays right when the listener is moved or passes frames.
type icy struct {
	every int     // bytes of audio from one notice to the next
	left  int     // of them, until the next
	told  *notice // the last one that was begun; nil before the first
	rest  []byte  // what was not sent of it
}

func newICY(every int) *icy { return &icy{every: every, left: every} }

// begin begins the notice that comes before the next audio, which is of b.
func (i *icy) begin(b *batch) {
	i.rest = b.title.block
	if i.told == b.title || i.told != nil && i.told.sameAs(b.title) { // which is another tail's
		i.rest = b.title.same
	}
	i.told, i.left = b.title, i.every
}

// next returns what goes out next of b, from which off bytes were sent: the
// rest of a notice, or else audio up to offset until. Nothing is next where b
// ends; what follows on its last byte has the title of the next batch.
func (i *icy) next(b *batch, off int) (told []byte, until int) {
	if len(i.rest) == 0 && i.left == 0 && off < b.size {
		i.begin(b)
	}
	if len(i.rest) > 0 {
		return i.rest, off
	}
	return nil, min(off+i.left, b.size)
}

// take notes that so many bytes were sent, of a notice or of audio.
func (i *icy) take(told, audio int) {
	i.rest = i.rest[told:]
	i.left -= audio
}

// appendWire appends what is to be sent of b, from which off bytes were sent,
// as slices that nobody changes.
func (i *icy) appendWire(to [][]byte, b *batch, off int) [][]byte {
	ahead := *i // what is not sent may be sent otherwise
	for {
		told, until := ahead.next(b, off)
		if told != nil {
			to = append(to, told)
		} else if until == off {
			return to
		} else {
			to = b.appendAudio(to, off, until)
		}
		ahead.take(len(told), until-off)
		off = until
	}
}

// sent notes that n bytes of what appendWire appended were sent, and returns
// how many bytes of b that makes in all.
func (i *icy) sent(b *batch, off, n int) int {
	for n > 0 {
		told, until := i.next(b, off)
		k := min(n, len(told)+until-off)
		if told != nil {
			i.take(k, 0)
		} else {
			i.take(0, k)
			off += k
		}
		n -= k
	}
	return off
}
