package audio

// MaxHeld is how many bytes a splitter may keep between calls: three frames
// and the head of what follows.
const MaxHeld = 3*maxFrame + tagHead

// Held returns how many bytes are kept for the next call.
func (f *framer) Held() int { return len(f.buf.old) }

// MaxTag is how far the size of a tag is believed.
const MaxTag = maxTag
