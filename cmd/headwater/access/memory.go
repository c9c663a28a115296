package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

const (
	// rememberFor is how long the result of a slow check holds.
	rememberFor = time.Minute
	// maxRemembered bounds the results, and the addresses, that are remembered.
	maxRemembered = 1024
	// patience is how many wrong passwords an address may try in penance before
	// those that would take long are refused unseen.
	patience = 5
	penance  = 10 * time.Second
)

// memory remembers the results of slow checks, so that neither an encoder that
// tells each title nor a storm of wrong passwords keeps the process busy. Of
// passwords only a keyed hash is kept.
type memory struct {
	key [32]byte
	one chan struct{} // holds one while a hash is computed: they come one by one

	mu      sync.Mutex
	results map[[sha256.Size]byte]result // guarded by mu
	wrong   map[netip.Addr]wrong         // guarded by mu
}

type result struct {
	right bool
	until time.Time
}

// wrong counts the wrong passwords of an address.
type wrong struct {
	count int
	until time.Time
}

func newMemory() *memory {
	m := &memory{one: make(chan struct{}, 1), results: map[[sha256.Size]byte]result{}, wrong: map[netip.Addr]wrong{}}
	rand.Read(m.key[:]) // never fails
	return m
}

// check reports whether word is the password p, for who asks from remote.
func (m *memory) check(p Password, word, remote string) bool {
	if !p.Set() {
		return false
	}
	if !p.slow() {
		return p.matches(word)
	}
	name := m.name(p, word)
	from := host(remote)
	if right, known := m.recall(name, from); known {
		return right
	}
	m.one <- struct{}{}
	defer func() { <-m.one }()
	if right, known := m.recall(name, from); known { // another has asked meanwhile
		return right
	}
	right := p.matches(word)
	m.remember(name, from, right)
	return right
}

// name returns what the result of a check goes by.
func (m *memory) name(p Password, word string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, m.key[:])
	h.Write([]byte(p.text + "\x00" + word)) // p.text has no zero byte
	h.Sum(sum[:0])
	return sum
}

// recall returns the result of a check that was made before, or that is not to
// be made for an address.
func (m *memory) recall(name [sha256.Size]byte, from netip.Addr) (right, known bool) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.results[name]; ok && now.Before(r.until) {
		return r.right, true
	}
	w := m.wrong[from]
	return false, w.count >= patience && now.Before(w.until)
}

// remember notes the result of a check.
func (m *memory) remember(name [sha256.Size]byte, from netip.Addr, right bool) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	makeRoom(m.results, func(r result) bool { return now.After(r.until) })
	m.results[name] = result{right, now.Add(rememberFor)}
	if right {
		delete(m.wrong, from)
		return
	}
	w := m.wrong[from]
	if now.After(w.until) {
		w = wrong{until: now.Add(penance)}
	}
	w.count++
	makeRoom(m.wrong, func(w wrong) bool { return now.After(w.until) })
	m.wrong[from] = w
}

// makeRoom removes what is old from a map that is full, or else anything.
func makeRoom[K comparable, V any](all map[K]V, old func(V) bool) {
	if len(all) < maxRemembered {
		return
	}
	for k, v := range all {
		if old(v) {
			delete(all, k)
		}
	}
	for k := range all {
		if len(all) < maxRemembered {
			return
		}
		delete(all, k)
	}
}

// host returns the address in "host:port", without the half of IPv6 that anybody
// can change at will.
func host(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	if addr.Is6() {
		prefix, err := addr.Prefix(64)
		if err == nil {
			addr = prefix.Addr()
		}
	}
	return addr
}
