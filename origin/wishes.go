package origin

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"time"
)

// wishes are what the query of a request for a continuous output asks for.
type wishes struct {
	mode  Mode
	burst time.Duration // not more than the tail has is sent
}

// wishesOf returns what a query asks for, and for the rest what the stream
// usually does. What else a query says is not for us. The error is a sentence.
func wishesOf(query string, cfg *StreamConfig) (wishes, error) {
	w := wishes{cfg.Mode, max(0, cfg.Burst)}
	if query == "" {
		return w, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return w, nil
	}
	if values.Has("mode") {
		if w.mode, err = ParseMode(values.Get("mode")); err != nil {
			return w, errors.New("mode " + err.Error())
		}
	}
	if values.Has("burst") {
		seconds, err := strconv.ParseFloat(values.Get("burst"), 64)
		if err != nil || !(seconds >= 0) || math.IsInf(seconds, 0) {
			return w, errors.New("burst must be a number of seconds, such as 2 or 0.5")
		}
		w.burst = time.Duration(min(seconds, MaxBurst.Seconds()) * float64(time.Second))
	}
	return w, nil
}
