package live_test

import (
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin/live"
)

// Listeners of all kinds that come, hang up, crawl and read nothing, while
// tails end and open again, are all counted off, told of once, and closed.
func TestFanChurn(t *testing.T) {
	const listeners = 240
	l := listen(t)
	f := startFan(t)
	units := muxtest.AV().UnitsFor(30 * mux.ClockRate)
	whole := live.NewPackets(live.TailConfig{})
	tails := []*live.Tail{whole, live.NewLossy(whole)}
	var appending, serving sync.WaitGroup
	stop := make(chan struct{})
	appending.Go(func() {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for n := 0; ; n++ {
			for _, tail := range tails {
				switch tail.Append(units[n%len(units)], time.Now()); {
				case n%100 == 99:
					tail.End()
				case n%100 == 10, n%31 == 0:
					tail.Break()
				}
				tail.Settle(time.Now())
			}
			select {
			case <-pace.C:
			case <-stop:
				for _, tail := range tails {
					tail.End()
				}
				return
			}
		}
	})
	for i := range listeners {
		server, client := socketPair(t, l)
		serving.Go(func() { f.Serve(tails[i%2], server, live.Options{Chunked: i%3 == 0}) })
		serving.Go(func() { behave(client, i%4, stop) })
	}
	close(stop)
	appending.Wait()
	serving.Wait()
	for n := 0; n < listeners; n, _ = f.gone() {
		runtime.Gosched()
	}
	f.stop()
	for _, tail := range tails {
		if n := tail.Listeners(); n != 0 {
			t.Errorf("Listeners = %d at the end", n)
		}
	}
	if n, _ := f.gone(); n != listeners {
		t.Errorf("told of %d that have gone, want %d", n, listeners)
	}
}

// behave is a client of one of four kinds.
func behave(c net.Conn, kind int, stop <-chan struct{}) {
	switch kind {
	case 0: // reads all
		io.Copy(io.Discard, c)
	case 1: // hangs up
		io.CopyN(io.Discard, c, 50_000)
		c.Close()
	case 2: // sends, and tells that it sends no more
		c.Write([]byte("garbage"))
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	case 3: // reads nothing, and resets
		<-stop
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}
