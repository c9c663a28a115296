package icecast

import (
	"context"

	"headwater/ingest"
	"headwater/mux"
)

// Anybody is a [Guard] that lets everybody send: that of a test, in which a
// server stands in for Icecast.
type Anybody struct{}

// Source reports true.
func (Anybody) Source(context.Context, string, string, string, string) bool { return true }

// Into returns a [Config.Open] for streams of which no more is to be said than
// what takes their media. open returns that for a name, or says why there is none.
func Into(open func(name string) (ingest.Sink, error)) func(name string) (*Stream, error) {
	return func(name string) (*Stream, error) {
		sink, err := open(name)
		if err != nil {
			return nil, err
		}
		st := &Stream{Options: ingest.Options{Stream: name, Sink: sink}, Holder: func() (mux.SourceInfo, bool) { return mux.SourceInfo{}, false }}
		if held, ok := sink.(interface{ Holder() (mux.SourceInfo, bool) }); ok {
			st.Holder = held.Holder
		}
		return st, nil
	}
}
