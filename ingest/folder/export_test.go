package folder

// Unwatched has p look at its folder once only: what waits for the kernel
// stops the clock of a test.
func (p *Player) Unwatched() *Player {
	p.unwatch = true
	return p
}

// ReadTags returns what the tags of a file tell.
var ReadTags = readTags

// Ahead is how much earlier than due a frame is given away.
const Ahead = ahead
