package check_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/cmd/headwater/check"
)

// watch watches o for d in simulated time.
func watch(t *testing.T, o *fakeOrigin, d time.Duration) *check.Report {
	t.Helper()
	report, err := check.Watch(t.Context(), check.Options{
		URL: "http://origin.example/live.m3u8", For: d, Client: o, Strict: true,
	})
	if err != nil {
		t.Fatalf("Watch = %v", err)
	}
	return report
}

func TestWatchOfAGoodStreamFindsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := watch(t, newFakeOrigin(t), 40*time.Second)
		for _, f := range report.Findings {
			t.Errorf("%s %s: %s (%s)", f.Level, f.Rule, f.Text, f.Subject)
		}
		if report.Segments < 2*28 || len(report.Playlists) != 2 || len(report.Notes) != 0 {
			t.Errorf("%d segments of %d playlists were looked at, notes %v; want 28 of each of 2 and none",
				report.Segments, len(report.Playlists), report.Notes)
		}
		if got := report.Playlists[0].Tracks; !slices.Equal(got, []string{"avc1.64001f", "mp4a.40.2"}) {
			t.Errorf("Tracks = %v", got)
		}
	})
}

// Each way to break a rule is found under the ID of that rule, and the same
// stream unbroken is not (above).
func TestWatchFindsWhatIsBroken(t *testing.T) {
	for _, b := range slices.Concat(brokenSegments(), brokenPacked(), brokenVariants(), brokenAnswers()) {
		t.Run(b.rule+" "+b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newFakeOrigin(t)
				b.change(o)
				report := watch(t, o, 14*time.Second)
				var got []string
				for _, f := range report.Findings {
					if f.Rule == b.rule {
						return
					}
					got = append(got, f.Rule+": "+f.Text)
				}
				t.Errorf("found %q, want %s", got, b.rule)
			})
		})
	}
}

func TestWatchWithoutPlaylist(t *testing.T) {
	refused := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
	missing := roundTripper(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		http.Error(w, "there is no stream live", http.StatusNotFound)
		return w.Result(), nil
	})
	for _, test := range []struct {
		name, url string
		client    http.RoundTripper
		want      string
	}{
		{"nobody answers", "http://origin.example/x.m3u8", refused, "connection refused"},
		{"the server knows no such stream", "http://origin.example/x.m3u8", missing, "there is no stream live"},
		{"not an address of the web", "rtsp://origin.example/x", refused, "not an http or https URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := check.Watch(t.Context(), check.Options{URL: test.url, Client: test.client})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Watch = %v, want an error with %q", err, test.want)
			}
		})
	}
}

// What is no playlist at all is told in one sentence, not as broken rules.
func TestWatchOfSomethingElse(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"a page", "<!DOCTYPE html>\n<html><body>Hello</body></html>", "is HTML, not a playlist"},
		{"nothing", "", "is empty, not a playlist"},
		{"a transport stream", strings.Repeat("\x47"+strings.Repeat("\x00", 187), 3), "is media, MPEG-TS, not a playlist"},
		{"JSON", `{"streams":[]}`, "is JSON, not a playlist"},
		{"XML", `<?xml version="1.0"?><MPD/>`, "is XML, not a playlist"},
		{"a sentence", "not here\n", "is some other text, not a playlist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := roundTripper(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.WriteString(test.body)
				return w.Result(), nil
			})
			_, err := check.Watch(t.Context(), check.Options{URL: "http://origin.example/x.m3u8", Client: client})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Watch = %v, want an error with %q", err, test.want)
			}
			synctest.Test(t, func(t *testing.T) { // in the place of a media playlist it breaks one rule
				o := newFakeOrigin(t)
				o.text = func(path, text string) string {
					if path == "/live/audio.m3u8" {
						return test.body
					}
					return text
				}
				var got []string
				for _, f := range watch(t, o, 7*time.Second).Findings {
					if strings.HasSuffix(f.Subject, "audio.m3u8") {
						got = append(got, f.Rule+": "+f.Text)
					}
				}
				if len(got) != 1 || !strings.Contains(got[0], test.want) {
					t.Errorf("found %q, want one with %q", got, test.want)
				}
			})
		})
	}
}

// A stream that is not there yet is waited for as its server asks, and for no
// longer than that makes sense.
func TestWatchWaits(t *testing.T) {
	for _, test := range []struct {
		name   string
		ready  time.Duration
		retry  string
		waited time.Duration // at least; a second more at most
		fails  bool
	}{
		{"until it is measured", 7 * time.Second, "2", 7 * time.Second, false},
		{"ten seconds at a time", 25 * time.Second, "3600", 30 * time.Second, false},
		{"not for ever", time.Hour, "5", 110 * time.Second, true},
		{"not unless asked to", time.Hour, "", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newFakeOrigin(t)
				o.instead = func(w http.ResponseWriter, r *http.Request) bool {
					if time.Since(o.started) >= test.ready {
						return false
					}
					if test.retry != "" {
						w.Header().Set("Retry-After", test.retry)
					}
					http.Error(w, "stream live is being measured", http.StatusServiceUnavailable)
					return true
				}
				var told []string
				began := time.Now()
				report, err := check.Watch(t.Context(), check.Options{
					URL: "http://origin.example/live.m3u8", For: 5 * time.Second, Client: o, Strict: true,
					Waiting: func(line string) { told = append(told, line) },
				})
				waited := time.Since(began)
				if !test.fails {
					waited = report.Started.Sub(began)
					if len(report.Findings) > 0 || report.Segments == 0 {
						t.Errorf("%d segments, findings %v", report.Segments, report.Findings)
					}
				}
				if (err != nil) != test.fails || waited < test.waited || waited > test.waited+11*time.Second {
					t.Errorf("Watch = %v after %v, want an error: %v after %v", err, waited, test.fails, test.waited)
				}
				if want := min(len(test.retry), 1); len(told) != want || want > 0 && !strings.Contains(told[0], "being measured") {
					t.Errorf("told %q", told)
				}
			})
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestReportIsReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newFakeOrigin(t)
		o.media = only("/1012.ts", func(b []byte) []byte { return drop(b, 20) })
		report := watch(t, o, 10*time.Second)
		var text, machine strings.Builder
		if err := report.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"MUST   C05", "/live/main/1012.ts", "segments of MPEG-TS with avc1.64001f, mp4a.40.2", "MUST and 0 SHOULD are broken."} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the text does not say %q:\n%s", want, text.String())
			}
		}
		if err := report.WriteJSON(&machine); err != nil {
			t.Fatal(err)
		}
		var back check.Report
		if err := json.Unmarshal([]byte(machine.String()), &back); err != nil || back.Must() != report.Must() {
			t.Errorf("the JSON has %d MUST and error %v, want %d", back.Must(), err, report.Must())
		}
	})
}
