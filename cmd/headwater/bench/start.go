package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// measureStart measures the size of the program, and how long it takes from
// its start to its first answer.
func (b *bench) measureStart(ctx context.Context) error {
	const runs = 11
	b.say("starting %d times", runs)
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	mb := float64(info.Size()) / 1e6
	b.table.add(row{"program, stripped", "<= 30 MB", fmt.Sprintf("%.1f MB", mb), "", judge(mb <= 30)})

	var took sample
	for i := range runs {
		d, err := b.timeStart(ctx, fmt.Sprintf("%s/start-%d", b.dir, i))
		if err != nil {
			return err
		}
		took = append(took, float64(d)/float64(time.Millisecond))
	}
	b.table.add(row{"start to the first answer", "<= 100 ms", fmt.Sprintf("%.1f ms %s", took.median(), took.spread("%.1f")), "", judge(took.median() <= 100)})
	return nil
}

// timeStart starts a headwater that makes the folder data, and returns how long it
// took until it answered.
func (b *bench) timeStart(ctx context.Context, data string) (time.Duration, error) {
	var began time.Time
	o, err := b.serve(ctx, func(name string, args ...string) *exec.Cmd {
		began = time.Now()
		return command(ctx, name, args...)
	}, 1, data)
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	o.stop()
	http.DefaultClient.CloseIdleConnections()
	if !o.cmd.ProcessState.Success() {
		return 0, errors.New("headwater did not stop well: " + o.said.String())
	}
	return took, nil
}
