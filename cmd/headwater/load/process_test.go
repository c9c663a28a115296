package load_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"headwater/cmd/headwater/load"
)

func TestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are watched by Linux's /proc")
	}
	own := load.Process(os.Getpid())
	before, err := own.CPU()
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		after, err := own.CPU()
		if err != nil {
			t.Fatal(err)
		}
		if after > before { // reading it takes time as well
			break
		}
	}
	if after, _ := own.CPU(); after <= before || after > before+10*time.Second {
		t.Errorf("CPU went from %v to %v", before, after)
	}
	if rss, err := own.RSS(); err != nil || rss < 1<<20 || rss > 1<<32 {
		t.Errorf("RSS = %d, %v", rss, err)
	}
	if _, err := load.Process(1 << 30).RSS(); err == nil {
		t.Error("a process that is not there has a resident set")
	}
}
