package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"time"
)

// measureLive watches live streams: video that is stored on disk and in memory
// only, and radio.
func (b *bench) measureLive(ctx context.Context) error {
	for _, k := range []liveKind{
		{"video stored", b.streams / 5, b.dir + "/live", 0.1, b.feed},
		{"video in memory", b.streams, "", 0.1, b.feed},
		{"radio in memory", b.streams * 5 / 2, "", 0.02, b.feedRadio},
	} {
		b.say("%d live streams for %v, %s", k.streams, b.live, k.name)
		if err := b.watch(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// liveKind is one measurement of live streams.
type liveKind struct {
	name    string
	streams int
	data    string  // folder for the segments, "" for none
	limit   float64 // CPU of a stream, per cent of a core
	feed    func(ctx context.Context, o *origin, ahead time.Duration) (*process, error)
}

// origin is a headwater that runs.
type origin struct {
	*process
	url     string   // http://127.0.0.1:port
	sources []string // host:port of each stream
}

// serve starts a headwater with streams s0, s1 and so on. wrap makes the
// command from its program and arguments.
func (b *bench) serve(ctx context.Context, wrap func(name string, args ...string) *exec.Cmd, streams int, data string) (*origin, error) {
	ports, err := freePorts(1 + streams)
	if err != nil {
		return nil, err
	}
	o := &origin{url: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	args := []string{"serve", "--http", fmt.Sprintf("127.0.0.1:%d", ports[0]), "--data", data, "--log-level", "warn"}
	for i, port := range ports[1:] {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		o.sources = append(o.sources, addr)
		args = append(args, "--tcp", "s"+strconv.Itoa(i)+"="+addr)
	}
	if o.process, err = start(wrap(b.binary, args...)); err != nil {
		return nil, err
	}
	if err := eventually(ctx, 10*time.Second, "headwater listens", func() error { return answers(ctx, o.url+"/healthz") }); err != nil {
		o.stop()
		return nil, fmt.Errorf("%w\n%s", err, o.said.String())
	}
	return o, nil
}

// feed starts a paced source of each stream.
func (b *bench) feed(ctx context.Context, o *origin, ahead time.Duration) (*process, error) {
	args := append([]string{"send", "--ahead", ahead.String(), b.media}, o.sources...)
	return start(command(ctx, b.self, args...))
}

// feedRadio starts a paced source of MP3 of each stream.
func (b *bench) feedRadio(ctx context.Context, o *origin, _ time.Duration) (*process, error) {
	args := append([]string{"bench", "publishers", "--kind", "radio", "--for", "1h", "--quiet"}, o.sources...)
	return start(command(ctx, b.binary, args...))
}

// held asks how many bytes the segments have that may be fetched, of all
// renditions of all streams, and how many streams are live.
func (o *origin) held(ctx context.Context) (bytes int64, live int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/api/v1/streams", nil)
	if err != nil {
		return 0, 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	var list struct {
		Streams []struct {
			State      string
			Renditions []struct{ Bytes int64 }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return 0, 0, err
	}
	for _, s := range list.Streams {
		if s.State == "live" {
			live++
		}
		for _, r := range s.Renditions {
			bytes += r.Bytes
		}
	}
	return bytes, live, nil
}

// watch measures what live streams take.
func (b *bench) watch(ctx context.Context, k liveKind) error {
	o, err := b.serve(ctx, func(name string, args ...string) *exec.Cmd { return command(ctx, name, args...) }, k.streams, k.data)
	if err != nil {
		return err
	}
	defer o.stop()
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	base, err := o.memory()
	if err != nil {
		return err
	}
	source, err := k.feed(ctx, o, 0)
	if err != nil {
		return err
	}
	defer source.stop()
	if err := eventually(ctx, time.Minute, "all streams are live", func() error {
		_, live, err := o.held(ctx)
		if err == nil && live < k.streams {
			err = fmt.Errorf("%d of %d are", live, k.streams)
		}
		return err
	}); err != nil {
		return err
	}
	b.say("until their windows are full")
	if err := o.fill(ctx); err != nil {
		return err
	}
	use, err := o.observe(ctx, b.live)
	if err != nil {
		return err
	}
	b.report(k, base, use)
	return nil
}

// fill waits until as much media expires as comes in: while memory is still
// being taken from the system, that costs more than what is done with it.
func (o *origin) fill(ctx context.Context) error {
	const most, interval = 5 * time.Minute, 20 * time.Second // a few segments
	var before int64
	for began := time.Now(); time.Since(began) < most; {
		held, _, err := o.held(ctx)
		if err != nil {
			return err
		}
		if held <= before+before/100 {
			return nil
		}
		before = held
		if err := sleep(ctx, interval); err != nil {
			return err
		}
	}
	return fmt.Errorf("windows still grow after %v", most)
}

// usage is what an origin took while it was observed.
type usage struct {
	cpu    float64 // of one core
	memory int64   // bytes resident, median of the last third
	held   int64   // bytes of segments at that time
	excess sample  // memory - 1.15 held, bytes
}

// observe watches o for d.
func (o *origin) observe(ctx context.Context, d time.Duration) (u usage, err error) {
	began := time.Now()
	before, err := o.cpu()
	if err != nil {
		return u, err
	}
	var memory, held sample
	for time.Since(began) < d {
		if err := sleep(ctx, time.Second); err != nil {
			return u, err
		}
		if time.Since(began) < d*2/3 {
			continue
		}
		bytes, _, err := o.held(ctx)
		if err != nil {
			return u, err
		}
		rss, err := o.memory()
		if err != nil {
			return u, err
		}
		memory, held = append(memory, float64(rss)), append(held, float64(bytes))
		u.excess = append(u.excess, float64(rss)-1.15*float64(bytes))
	}
	after, err := o.cpu()
	if err != nil {
		return u, err
	}
	u.cpu = (after - before).Seconds() / time.Since(began).Seconds()
	u.memory, u.held = int64(memory.median()), int64(held.median())
	return u, nil
}

func (b *bench) report(k liveKind, base int64, u usage) {
	const mb, room = 1e6, 40e6
	n := float64(k.streams)
	cpu := 100 * u.cpu
	b.table.add(row{fmt.Sprintf("%d live streams, %s: CPU, of one core", k.streams, k.name), fmt.Sprintf("<= %.3g %%", k.limit*n),
		fmt.Sprintf("%.2f %% (%.3f %% a stream)", cpu, cpu/n), "", judge(cpu <= k.limit*n)})
	above := u.excess.median()
	b.table.add(row{"  memory above 1.15 x the bytes held", "<= 40 MB",
		fmt.Sprintf("%.1f MB (resident %.1f MB, held %.1f MB, with no stream %.1f MB)", max(above, 0)/mb, float64(u.memory)/mb, float64(u.held)/mb, float64(base)/mb),
		fmt.Sprintf("%.2f x held", (float64(u.memory)-float64(base))/float64(u.held)), judge(above <= room)})
}
