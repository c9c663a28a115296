package load

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	pollBatch = 1024
	// pollPause is how long the poller sleeps after it has read what was there.
	// To wake up for each of thousands of connections would cost more than
	// reading from them does, at the server as well. Arrivals are seen this
	// much later at most.
	pollPause = time.Millisecond
	// pollWait is how soon the poller notices that it is to stop, in milliseconds.
	pollWait = 50
	readSize = 32 << 10
	// edgeTriggered is EPOLLET, which the kernel need not look at twice. A read
	// that fills its buffer, and the end, are followed by another one.
	edgeTriggered = 1 << 31
)

// poller reads from many connections in one goroutine with one buffer.
type poller struct {
	epoll    int
	stopping atomic.Bool

	mu    sync.Mutex
	socks map[int32]*listener // by descriptor; guarded by mu
}

func newPoller() (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &poller{epoll: epoll, socks: map[int32]*listener{}}, nil
}

// add takes over the connection of l, which must not be used any more: its
// descriptor is taken away from the runtime, which would wake up for it too.
// It returns false if l has no plain TCP connection.
func (p *poller) add(l *listener) bool {
	conn, ok := l.conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	fd := -1
	if gone := raw.Control(func(old uintptr) { fd, err = syscall.Dup(int(old)) }); gone != nil || err != nil {
		return false
	}
	conn.Close() // the socket stays open by its other descriptor
	p.mu.Lock()
	p.socks[int32(fd)] = l
	p.mu.Unlock()
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered, Fd: int32(fd)}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		p.drop(int32(fd), l, os.NewSyscallError("epoll_ctl", err))
	}
	return true
}

// stop makes run return.
func (p *poller) stop() { p.stopping.Store(true) }

// run reads from all connections until stop is called, and closes them.
func (p *poller) run() {
	defer syscall.Close(p.epoll)
	events, b := make([]syscall.EpollEvent, pollBatch), make([]byte, readSize)
	for !p.stopping.Load() {
		n, err := syscall.EpollWait(p.epoll, events, pollWait)
		if err != nil && err != syscall.EINTR {
			panic(os.NewSyscallError("epoll_wait", err)) // the descriptor is ours and open
		}
		for _, e := range events[:max(n, 0)] {
			p.mu.Lock()
			l := p.socks[e.Fd]
			p.mu.Unlock()
			if err := receive(int(e.Fd), b, l, e.Events&syscall.EPOLLRDHUP != 0); err != nil {
				p.drop(e.Fd, l, err)
			}
		}
		if n > 0 && n < len(events) {
			time.Sleep(pollPause)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for fd, l := range p.socks {
		l.end(os.ErrDeadlineExceeded)
		syscall.Close(int(fd))
	}
}

// drop ends a connection.
func (p *poller) drop(fd int32, l *listener, err error) {
	p.mu.Lock()
	delete(p.socks, fd) // before another one can get the number
	p.mu.Unlock()
	syscall.Close(int(fd))
	l.end(err)
}

// receive reads what there is. over: the end is.
func receive(fd int, b []byte, l *listener, over bool) error {
	for {
		// It goes past the file layer of the kernel, and the scheduler need not be
		// told of a call that cannot wait.
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == syscall.EAGAIN:
			return nil
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return errno
		case n == 0:
			return io.EOF
		}
		if err := l.take(b[:n]); err != nil {
			return err
		}
		if int(n) < len(b) && !over {
			return nil
		}
	}
}
