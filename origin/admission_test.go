package origin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/origin"
)

func TestAdmission(t *testing.T) {
	type step struct {
		name   string
		served uint64 // bytes of HLS until the second of the step; 0: nothing is measured before
		rate   int64  // of the listener that comes then
		want   bool
	}
	tests := []struct {
		name  string
		limit int64
		steps []step
	}{
		{"without a limit all are let in", 0, []step{
			{"huge", 0, 1 << 50, true},
		}},
		{"listeners are let in until the bandwidth is promised", 1000, []step{
			{"first", 0, 400, true},
			{"second", 0, 400, true},
			{"one too much", 0, 400, false},
			{"what is left is for a smaller one", 0, 200, true},
			{"nothing is left", 0, 1, false},
		}},
		{"what is not known yet is let in", 1000, []step{
			{"unknown", 0, 0, true},
		}},
		{"HLS counts as it was in the last ten seconds", 1000, []step{
			{"begins", 1, 0, true},
			{"100 bytes a second are 800 bits", 101, 300, false},
			{"which leave 200", 201, 200, true},
			{"a second without any is not all", 201, 400, true},
			{"it is the mean", 201, 800, false},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := origin.NewAdmission(tt.limit)
			now := time.Unix(0, 0)
			for _, s := range tt.steps {
				if s.served > 0 {
					now = now.Add(time.Second)
					a.Update(s.served, now)
				}
				if got := a.Admit(s.rate); got != s.want {
					t.Errorf("%s: Admit(%d) = %v with %d in use, want %v", s.name, s.rate, got, a.Used(), s.want)
				}
			}
		})
	}
}

// A listener for whom there is no bandwidth is told so, and is let in when
// another one has gone.
func TestServerLimitsBandwidth(t *testing.T) {
	h := newHost(t, origin.ServerConfig{MaxBandwidth: 6_000_000}, origin.StreamConfig{}, big())
	one, err := http.Get("http://" + h.addr + "/live.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Body.Close()
	listen := func(path string) (int, string, *http.Response) {
		t.Helper()
		res, err := http.Get("http://" + h.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == 200 {
			res.Body.Close()
			return 200, "", res
		}
		sentence, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		res.Body.Close()
		return res.StatusCode, string(sentence), res
	}
	status, sentence, res := listen("/live.ts")
	if status != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(sentence, "no bandwidth left") {
		t.Errorf("the second listener of 4 Mbit/s = %d %q, want 503", status, sentence)
	}
	if status, sentence, _ := listen("/live.aac"); status != 200 {
		t.Errorf("a listener of sound = %d %q, want 200: there is room for it", status, sentence)
	}
	if status, _, _ := listen("/live.m3u8"); status != 200 {
		t.Errorf("a player of HLS = %d, want 200", status)
	}
	s := h.server.Stats()
	if s.Crowded != 1 || s.Refused != 1 || s.Bandwidth < 3_500_000 || s.Bandwidth > 6_000_000 {
		t.Errorf("%d listeners were refused (%d in all) at %d bit/s, want 1 (1) at about 4,500,000", s.Crowded, s.Refused, s.Bandwidth)
	}
	one.Body.Close()
	units := big().UnitsFor(60 * mux.ClockRate)
	units = units[len(big().UnitsFor(20*mux.ClockRate)):]
	for began := time.Now(); ; {
		if len(units) > 0 { // it is when more is sent that the server sees who has gone
			h.feed.Write(units[:1], time.Now())
			units = units[1:]
		}
		status, sentence, _ := listen("/live.ts")
		if status == 200 {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("a listener after the first has gone = %d %q, want 200", status, sentence)
		}
	}
}
