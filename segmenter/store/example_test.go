package store_test

import (
	"fmt"
	"io"
	"log"
	"os"

	"headwater/mux"
	"headwater/segmenter"
	"headwater/segmenter/store"
)

func Example() {
	dir, err := os.MkdirTemp("", "headwater")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()

	// A process puts a segment and is killed.
	first, err := store.Open(root, "radio/one")
	if err != nil {
		log.Fatal(err)
	}
	err = first.Put(1, &segmenter.Segment{
		Rendition: segmenter.RenditionMain, Suffix: ".ts", Sequence: 41, End: 6 * mux.ClockRate,
		Data: [][]byte{[]byte("transport "), []byte("stream")}, Size: 16,
	})
	if err != nil {
		log.Fatal(err)
	}

	// The next one finds it.
	second, err := store.Open(root, "radio/one")
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
	c, err := second.Segments(1)
	if err != nil {
		log.Fatal(err)
	}
	for _, seg := range c.Segments {
		f, err := second.Open(seg.Rendition, 1, seg.Sequence, seg.Suffix)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		fmt.Printf("segment %d, %v: %s\n", seg.Sequence, seg.Duration(), b)
	}
	// Output:
	// segment 41, 6s: transport stream
}
