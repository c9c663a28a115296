package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"headwater/cmd/headwater/load"
)

// flush is how often headwater writes to a listener of a radio.
const flush = 250 * time.Millisecond

const listenFor = 10 * time.Second

// station is a server with a radio of 128 kbit/s, alone on its core.
type station struct {
	name   string
	server *process
	url    string
	close  func()
}

// measureListeners compares what a crowd of listeners costs headwater and
// Icecast, and looks at crowds that connect at once, or do not read.
func (b *bench) measureListeners(ctx context.Context) error {
	crowd := fmt.Sprintf("%d listeners of 128 kbit/s", b.crowd)
	b.say("%s, four times", crowd)
	ours, err := b.listen(ctx, b.startRadio, b.crowd)
	if err != nil {
		return err
	}
	b.table.add(row{crowd + ": CPU, of one core", "", heard(ours), "", judge(ours.Connected == b.crowd && ours.Lost.Total() == 0)})
	b.table.add(row{"  99 % of gaps between reads", fmt.Sprintf("<= 2 x %v", flush), fmt.Sprintf("%.0f ms", ours.Gaps.P99), "", judge(ours.Gaps.P99 <= 2*float64(flush.Milliseconds()))})
	if find("icecast2") == "" {
		b.table.lacking("  beside Icecast", "icecast2")
	} else {
		theirs, err := b.listen(ctx, b.startIcecast, b.crowd)
		if err != nil {
			return err
		}
		// Of those who were not let in, nothing was asked: the cost of one who was is compared.
		share := float64(theirs.Connected) / float64(ours.Connected)
		cpu := ours.Server.CPU / theirs.Server.CPU * share
		memory := float64(ours.Server.RSS) / float64(theirs.Server.RSS) * share
		b.table.add(row{"  CPU for a listener, beside Icecast", "<= 0.45 x", "Icecast: " + heard(theirs), fmt.Sprintf("%.2f x", cpu), judge(cpu <= 0.45)})
		b.table.add(row{"  memory for a listener, beside Icecast", "<= 1 x", fmt.Sprintf("%.1f MB, Icecast %.1f MB", float64(ours.Server.RSS)/1e6, float64(theirs.Server.RSS)/1e6), fmt.Sprintf("%.2f x", memory), judge(memory <= 1)})
	}
	slow, err := b.listen(ctx, b.startRadio, b.crowd, "--slow", strconv.Itoa(b.crowd/2))
	if err != nil {
		return err
	}
	memory, gaps := float64(slow.Server.RSS)/float64(ours.Server.RSS), slow.Gaps.P99/ours.Gaps.P99
	b.table.add(row{"  half of them never read: memory", "<= 1.05 x", fmt.Sprintf("%.1f MB", float64(slow.Server.RSS)/1e6), fmt.Sprintf("%.2f x", memory), judge(memory <= 1.05)})
	b.table.add(row{"    99 % of gaps of the others", "<= 1.2 x", fmt.Sprintf("%.0f ms", slow.Gaps.P99), fmt.Sprintf("%.2f x", gaps), judge(gaps <= 1.2)})
	many := b.crowd * 5 / 4
	storm, err := b.listen(ctx, b.startRadio, many, "--for", "2s")
	if err != nil {
		return err
	}
	b.table.add(row{fmt.Sprintf("%d connect, %d at a time", many, load.DefaultAtOnce), "< 3 s, all",
		fmt.Sprintf("%d in %.2f s, refused: %v", storm.Connected, storm.ConnectSeconds, storm.Refused), "", judge(storm.ConnectSeconds < 3 && storm.Connected == many)})
	return nil
}

// heard returns what a crowd of listeners cost in a few words.
func heard(r *load.ListenersReport) string {
	return fmt.Sprintf("%.1f %% for %d connected in %.1f s, %.0f Mbit/s, %.1f MB", r.Server.CPU, r.Connected, r.ConnectSeconds, r.Mbits, float64(r.Server.RSS)/1e6)
}

// listen starts a station for one crowd of n listeners.
func (b *bench) listen(ctx context.Context, start func(context.Context) (*station, error), n int, args ...string) (*load.ListenersReport, error) {
	s, err := start(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := eventually(ctx, 20*time.Second, s.name+" is on the air", func() error { return answers(ctx, s.url) }); err != nil {
		return nil, err
	}
	args = append([]string{"-n", strconv.Itoa(n), "--for", listenFor.String(), "--pid", strconv.Itoa(s.server.cmd.Process.Pid)}, args...)
	return b.hear(ctx, s.url, args...)
}

// hear runs "headwater bench listeners" on the core of the load.
func (b *bench) hear(ctx context.Context, url string, args ...string) (*load.ListenersReport, error) {
	args = append([]string{"bench", "listeners", url}, args...)
	b.ran = append(b.ran, "headwater "+strings.Join(args, " "))
	cmd := pinned(ctx, loadCPU, b.binary, append(args, "--json", "-", "--quiet")...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := finish(cmd); err != nil {
		return nil, err
	}
	r := new(load.ListenersReport)
	return r, json.Unmarshal(out.Bytes(), r)
}

// alone runs a program on the core of the server.
func alone(ctx context.Context) func(name string, args ...string) *exec.Cmd {
	return func(name string, args ...string) *exec.Cmd {
		cmd := pinned(ctx, serverCPU, name, args...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		return cmd
	}
}

// startRadio starts headwater with a radio.
func (b *bench) startRadio(ctx context.Context) (*station, error) {
	o, err := b.serve(ctx, alone(ctx), 1, "")
	if err != nil {
		return nil, err
	}
	silence := b.broadcast(ctx, o.sources[0], nil)
	return &station{"headwater", o.process, o.url + "/s0.mp3", func() { silence(); o.stop() }}, nil
}

// broadcast sends radio to addr until the function that it returns is called.
func (b *bench) broadcast(ctx context.Context, addr string, hello []byte) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	sending.Go(func() {
		p := load.Publishers{Addrs: []string{addr}, Kind: load.KindRadio, For: time.Hour, Hello: hello}
		if _, err := p.Run(ctx); err != nil {
			b.say("the radio: %v", err)
		}
	})
	return func() { cancel(); sending.Wait() }
}

// icecastConf is Icecast as it is installed, but for limits and addresses.
const icecastConf = `<icecast>
<limits><clients>100000</clients><sources>2</sources><queue-size>524288</queue-size><client-timeout>30</client-timeout>
<header-timeout>15</header-timeout><source-timeout>10</source-timeout><burst-on-connect>1</burst-on-connect><burst-size>65535</burst-size></limits>
<authentication><source-password>bench</source-password><admin-user>admin</admin-user><admin-password>bench</admin-password></authentication>
<hostname>localhost</hostname><listen-socket><port>%d</port><bind-address>127.0.0.1</bind-address></listen-socket>
<fileserve>0</fileserve>
<paths><basedir>%[2]s</basedir><logdir>%[2]s</logdir><webroot>%[2]s</webroot><adminroot>%[2]s</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
<security><chroot>0</chroot>%[3]s</security></icecast>
`

// icecastHello is the request of a source (password "bench").
const icecastHello = "SOURCE /live.mp3 HTTP/1.0\r\nAuthorization: Basic c291cmNlOmJlbmNo\r\nContent-Type: audio/mpeg\r\nice-public: 0\r\n\r\n"

// startIcecast starts the peer with the same radio.
func (b *bench) startIcecast(ctx context.Context) (*station, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "icecast-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, err
	}
	owner := ""
	if os.Getuid() == 0 { // which Icecast refuses to run as
		owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"
	}
	conf := filepath.Join(dir, "icecast.xml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, icecastConf, port, dir, owner), 0o644); err != nil {
		return nil, err
	}
	p, err := start(alone(ctx)(find("icecast2"), "-c", conf))
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	if err := eventually(ctx, 5*time.Second, "icecast listens", func() error { return connects(ctx, addr) }); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w\n%s", err, p.said.String())
	}
	silence := b.broadcast(ctx, addr, []byte(icecastHello))
	return &station{"Icecast", p, "http://" + addr + "/live.mp3", func() { silence(); p.stop() }}, nil
}
