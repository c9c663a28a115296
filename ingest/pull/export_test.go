package pull

import (
	"context"
	"net"
)

// DialBy has p connect by dial.
func (p *Puller) DialBy(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	p.dial = dial
}

// ParseBlock reads the text of a block of metadata.
var ParseBlock = parseBlock
