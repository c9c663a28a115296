package origin_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headwater/origin"
)

func TestDivide(t *testing.T) {
	type need = origin.Need
	type bound = origin.Bound
	// Ten times as much as the shortest window, and held as it should be.
	full := func(rank int) need { return need{Held: 100, Full: 100, Floor: 10, Rank: rank} }
	tests := []struct {
		name   string
		budget int64
		needs  []need
		want   []bound
	}{
		{"nothing is bounded as long as all fits", 300, []need{full(0), full(1), full(2)}, []bound{{}, {}, {}}},
		{"those whom nobody watches give all before those who are watched give anything", 120,
			[]need{full(0), full(3), full(0)}, []bound{{10, 6, true}, {}, {10, 6, true}}},
		{"what is left over is for them", 140,
			[]need{full(0), full(3), full(0)}, []bound{{20, 6, true}, {}, {20, 6, true}}},
		{"then those who are watched less", 150,
			[]need{full(1), full(3), full(0)}, []bound{{40, 6, true}, {}, {10, 6, true}}},
		{"equals give up the same part", 110,
			[]need{{Held: 100, Full: 100, Floor: 10, Rank: 1}, {Held: 200, Full: 200, Floor: 20, Rank: 1}},
			[]bound{{36, 6, true}, {73, 6, true}}},
		{"what is held too much is let go of by the least watched only", 200,
			[]need{{Held: 100, Full: 100, Floor: 10, Rank: 1}, {Held: 50, Full: 100, Floor: 10, Rank: 3}, {Held: 100, Full: 100, Floor: 10, Rank: 0}},
			[]bound{{90, 6, false}, {}, {10, 6, true}}},
		{"where windows are not yet full nothing has to go early", 150,
			[]need{{Held: 20, Full: 100, Floor: 10, Rank: 0}, {Held: 50, Full: 100, Floor: 10, Rank: 1}},
			[]bound{{50, 6, false}, {}}},
		{"what nobody can have a list of may go at any time", 150,
			[]need{{Held: 20, Full: 100, Floor: 10, Idle: true}, {Held: 50, Full: 100, Floor: 10, Rank: 1}},
			[]bound{{50, 6, true}, {}}},
		{"windows do not grow for a trifle", 210,
			[]need{{Held: 50, Full: 100, Floor: 10, Last: 50}, full(1)}, []bound{{89, 6, false}, {}}},
		{"nor do they give up one", 145,
			[]need{{Held: 42, Full: 100, Floor: 10, Last: 42}, full(1)}, []bound{{42, 6, false}, {}}},
		{"they are full again when there is room to spare", 240,
			[]need{{Held: 50, Full: 100, Floor: 10, Last: 50}, full(1)}, []bound{{}, {}}},
		{"where the shortest windows do not fit, all are shorter still", 15,
			[]need{full(0), full(3), full(0)}, []bound{{5, 4, true}, {5, 4, true}, {5, 4, true}}},
		{"no budget at all is none for anybody", -1000, []need{full(0), full(3)}, []bound{{0, 4, true}, {0, 4, true}}},
		{"nor is there for streams that need none but would like some", -1, []need{{Held: 50, Full: 100}}, []bound{{0, 4, true}}},
		{"a stream without media needs nothing", 0, []need{{}}, []bound{{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := origin.Divide(tt.budget, tt.needs); !slices.Equal(got, tt.want) {
				t.Errorf("Divide(%d, %+v) =\n%+v, want\n%+v", tt.budget, tt.needs, got, tt.want)
			}
		})
	}
}

// Whatever the streams are: the bounds fit, nobody gets less than the shortest
// window if those fit, and no rank loses anything while a lower one has more.
func TestDivideAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		needs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) origin.Need {
			full := rapid.Int64Range(0, 1<<34).Draw(t, "full")
			return origin.Need{
				Full: full, Floor: rapid.Int64Range(0, full).Draw(t, "floor"), Held: rapid.Int64Range(0, full).Draw(t, "held"),
				Last: rapid.Int64Range(0, full).Draw(t, "last"), Rank: rapid.IntRange(0, 3).Draw(t, "rank"),
			}
		}), 1, 20).Draw(t, "needs")
		budget := rapid.Int64Range(0, 1<<37).Draw(t, "budget")
		var given, floors int64
		bounds := origin.Divide(budget, needs)
		for i, n := range needs {
			floors += n.Floor
			if bounds[i] == (origin.Bound{}) {
				given += n.Full
			} else {
				given += bounds[i].Bytes
			}
		}
		if given > budget {
			t.Fatalf("%d bytes are given of %d", given, budget)
		}
		if floors > budget {
			return
		}
		for i, n := range needs {
			b := bounds[i]
			if b != (origin.Bound{}) && b.Bytes < n.Floor {
				t.Fatalf("stream %d gets %d, less than the shortest window, %d", i, b.Bytes, n.Floor)
			}
			for j, m := range needs {
				if m.Last == 0 && n.Last == 0 && m.Rank < n.Rank && b != (origin.Bound{}) && (bounds[j] == (origin.Bound{}) && m.Full > m.Floor || bounds[j].Bytes > m.Floor) {
					t.Fatalf("stream %d of rank %d is bounded while stream %d of rank %d has more than it must", i, n.Rank, j, m.Rank)
				}
			}
		}
	})
}

func TestRank(t *testing.T) {
	tests := []struct {
		name  string
		score float64
		last  int
		want  int
	}{
		{"no request is rank 0", 0, 0, 0},
		{"one is more than none", 1, 0, 1},
		{"one that is long ago is none", 0.3, 1, 0},
		{"one that may be long ago is what it was", 0.45, 1, 1},
		{"and no more than it was", 0.55, 0, 0},
		{"a player is more than a request", 20, 0, 3},
		{"a thousand players are more than a player", 20_000, 0, 8},
		{"a few more or less change nothing", 35, 3, 3},
		{"many more do", 60, 3, 4},
		{"what is watched no more falls to the bottom", 0.1, 8, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := origin.Rank(tt.score, tt.last); got != tt.want {
				t.Errorf("rank(%v, %d) = %d, want %d", tt.score, tt.last, got, tt.want)
			}
		})
	}
}
