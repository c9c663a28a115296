package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mediamtxStreams is how many live streams are compared.
const mediamtxStreams = 20

// mediamtxConf is MediaMTX with nothing but HLS, always made, of transport
// streams from UDP.
const mediamtxConf = `logLevel: error
rtsp: no
rtmp: no
webrtc: no
srt: no
hls: yes
hlsAddress: 127.0.0.1:%d
hlsAlwaysRemux: yes
hlsVariant: mpegts
hlsSegmentCount: 10
hlsSegmentDuration: 6s
paths:
`

// measureMediaMTX compares the CPU time of live video streams with that of
// MediaMTX, whose program the variable MEDIAMTX names.
func (b *bench) measureMediaMTX(ctx context.Context) error {
	what := fmt.Sprintf("%d live video streams beside MediaMTX: CPU, of one core", mediamtxStreams)
	program := os.Getenv("MEDIAMTX")
	if program == "" {
		b.table.add(row{what: what, measured: "left out: MEDIAMTX=PROGRAM names one"})
		return nil
	}
	b.say("%d live streams for %v, headwater and MediaMTX", mediamtxStreams, b.live)
	ours, err := b.cpuOfOurs(ctx)
	if err != nil {
		return err
	}
	theirs, err := b.cpuOfMediaMTX(ctx, program)
	if err != nil {
		return err
	}
	b.table.add(row{what, "< 1 x", fmt.Sprintf("%.2f %%, MediaMTX %.2f %%", 100*ours, 100*theirs), fmt.Sprintf("%.2f x", ours/theirs), judge(ours < theirs)})
	return nil
}

func (b *bench) cpuOfOurs(ctx context.Context) (float64, error) {
	o, err := b.serve(ctx, func(name string, args ...string) *exec.Cmd { return command(ctx, name, args...) }, mediamtxStreams, "")
	if err != nil {
		return 0, err
	}
	defer o.stop()
	source, err := b.feed(ctx, o, 0)
	if err != nil {
		return 0, err
	}
	defer source.stop()
	return b.cpuOf(ctx, o.process)
}

func (b *bench) cpuOfMediaMTX(ctx context.Context, program string) (float64, error) {
	ports, err := freePorts(1 + mediamtxStreams)
	if err != nil {
		return 0, err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, mediamtxConf, ports[0])
	args := []string{"send", "--udp", b.media}
	for i, port := range ports[1:] {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		fmt.Fprintf(&conf, "  s%d:\n    source: udp+mpegts://%s\n", i, addr)
		args = append(args, addr)
	}
	name := filepath.Join(b.dir, "mediamtx.yml")
	if err := os.WriteFile(name, []byte(conf.String()), 0o644); err != nil {
		return 0, err
	}
	if program, err = exec.LookPath(program); err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return 0, err
	}
	cmd := command(ctx, program, name)
	cmd.Dir = b.dir // it leaves a key and a certificate where it is started
	p, err := start(cmd)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	source, err := start(command(ctx, b.self, args...))
	if err != nil {
		return 0, err
	}
	defer source.stop()
	last := fmt.Sprintf("http://127.0.0.1:%d/s%d/index.m3u8", ports[0], mediamtxStreams-1)
	if err := eventually(ctx, time.Minute, "MediaMTX makes the last stream", func() error { return answers(ctx, last) }); err != nil {
		return 0, err
	}
	return b.cpuOf(ctx, p)
}

// cpuOf returns how much of a core p takes, once its streams have begun.
func (b *bench) cpuOf(ctx context.Context, p *process) (float64, error) {
	if err := sleep(ctx, 15*time.Second); err != nil {
		return 0, err
	}
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := sleep(ctx, b.live); err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return (after - before).Seconds() / time.Since(began).Seconds(), err
}
