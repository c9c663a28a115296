package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// loopback returns how many bytes a second one TCP connection of this machine
// carries to a reader in the same process: what no server can be faster than.
func loopback(ctx context.Context) (float64, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			return // the reader says why
		}
		defer conn.Close()
		for b := make([]byte, 2<<20); err == nil; _, err = conn.Write(b) {
		}
	})
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	const d = time.Second
	began, n := time.Now(), int64(0)
	for b := make([]byte, 256<<10); time.Since(began) < d; {
		k, err := conn.Read(b)
		if n += int64(k); err != nil {
			return 0, errors.Join(io.ErrUnexpectedEOF, err)
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
