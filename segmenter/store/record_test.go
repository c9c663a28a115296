package store_test

import (
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"headwater/segmenter"
)

func TestPropose(t *testing.T) {
	_, root := folder(t)
	s := open(t, root, "live")
	if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, segmenter.Record{}) {
		t.Errorf("Load() of a new store = %v, %v, want a zero record", got, err)
	}
	first := segmenter.Record{Revision: 1, Gen: 9, Target: 540540, TargetDuration: 7,
		Points:    []segmenter.Point{{First: 3, DSN: 1, Start: 1 << 40, Raw: 1<<33 - 1, Offset: -5, Base: -1}},
		Bandwidth: map[string]segmenter.Bandwidth{"main": {Peak: 3_000_000, Average: 2_500_000}}}
	second := first
	second.Revision, second.Target = 2, 360360
	for _, tt := range []struct {
		name       string
		next, want segmenter.Record
	}{
		{"the first", first, first},
		{"the same revision again is too late", segmenter.Record{Revision: 1, Gen: 4}, first},
		{"a revision ahead is refused", segmenter.Record{Revision: 3}, first},
		{"the next", second, second},
		{"an old one is too late", first, second},
	} {
		if got, err := s.Propose(tt.next); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: Propose() = %v, %v, want %v", tt.name, got, err, tt.want)
		}
		if got, err := open(t, root, "live").Load(); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: Load() by another store = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// First writer wins, whoever it is: hls-rules H08.
func TestProposeRace(t *testing.T) {
	_, root := folder(t)
	const stores, rounds = 4, 10
	var wg sync.WaitGroup
	results := make([][]segmenter.Record, stores)
	for i := range stores {
		s := open(t, root, "live")
		wg.Go(func() {
			for revision := range uint64(rounds) {
				got, err := s.Propose(segmenter.Record{Revision: revision + 1, Gen: uint64(i)})
				if err != nil {
					t.Error(err)
				}
				if got.Revision < revision+1 { // others are ahead, never behind
					t.Errorf("store %d proposed %d and got %d", i, revision+1, got.Revision)
					return
				}
				results[i] = append(results[i], got)
			}
		})
	}
	wg.Wait()
	winner := make(map[uint64]uint64)
	for _, records := range results {
		for _, r := range records {
			if gen, ok := winner[r.Revision]; ok && gen != r.Gen {
				t.Errorf("revision %d was won by %d and by %d", r.Revision, gen, r.Gen)
			}
			winner[r.Revision] = r.Gen
		}
	}
}

func TestLoadDamaged(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	if err := os.WriteFile(filepath.Join(dir, "live/.record.json"), []byte("{\"revision\":"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Load(); err == nil {
		t.Errorf("Load() of half a record = %v, want an error", r)
	}
	if r, err := s.Propose(segmenter.Record{Revision: 1}); err == nil {
		t.Errorf("Propose() over half a record = %v, want an error", r)
	}
}

// A record that was lost is stored again, whatever its revision is.
func TestProposeLost(t *testing.T) {
	_, root := folder(t)
	s := open(t, root, "live")
	want := segmenter.Record{Revision: 12, Gen: 3}
	if got, err := s.Propose(want); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Propose() to an empty store = %v, %v, want %v", got, err, want)
	}
	if got, err := s.Propose(segmenter.Record{Revision: 15, Gen: 4}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Propose() of a revision ahead = %v, %v, want %v", got, err, want)
	}
}
