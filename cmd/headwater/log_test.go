package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLogFormat(t *testing.T) {
	write := func(format string, level slog.Level) string {
		out := newOutput()
		log := newLogger(out, LogConfig{Format: format, Level: level})
		log.Debug("hidden")
		log.Warn("source ended", "duration", 3571*time.Millisecond, "error", errors.New("reset"))
		return out.String()
	}
	for _, format := range []string{"json", "auto"} { // auto, since this is no terminal
		var fields map[string]any
		if err := json.Unmarshal([]byte(write(format, slog.LevelInfo)), &fields); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if fields["msg"] != "source ended" || fields["duration"] != 3.571 || fields["error"] != "reset" {
			t.Errorf("%s: logged %v", format, fields)
		}
	}
	text := write("text", slog.LevelDebug)
	if lines := strings.Count(text, "\n"); lines != 2 {
		t.Errorf("%d lines at level debug, want 2", lines)
	}
	if !strings.Contains(text, `msg="source ended" duration=3.571s error=reset`) {
		t.Errorf("text: logged %q", text)
	}
}
