package folder

import (
	"io"

	"headwater/mux"
	"headwater/mux/id3"
)

const (
	// mostTags is how many ID3v2 tags may stand before the sound.
	mostTags = 8
	// mostOfTag is how much of a tag is looked at for a title: more than the
	// pictures of most need.
	mostOfTag = 8 << 20
)

// readTags returns the title that the ID3 tags of a file tell, and where what
// follows the ID3v2 tags begins. A file of size bytes may lie about all of it.
func readTags(r io.ReaderAt, size int64) (t mux.Title, begin int64) {
	for range mostTags {
		var head [id3.HeaderSize]byte
		if _, err := r.ReadAt(head[:], begin); err != nil {
			break
		}
		n := min(int64(id3.Size(head[:])), size-begin)
		if n <= 0 {
			break
		}
		if t == (mux.Title{}) {
			t = readTag(io.NewSectionReader(r, begin, min(n, mostOfTag)))
		}
		begin += n
	}
	if t == (mux.Title{}) && size >= id3.V1Size {
		var tag [id3.V1Size]byte
		if _, err := r.ReadAt(tag[:], size-id3.V1Size); err == nil {
			t, _ = id3.ParseV1(tag[:])
		}
	}
	return t.Clean(), begin
}

// readTag returns the title of an ID3v2 tag, if it has one.
func readTag(r io.Reader) mux.Title {
	var tag id3.Reader
	block := make([]byte, blockSize)
	for {
		n, err := r.Read(block)
		tag.Write(block[:n])
		if err != nil {
			t, _ := tag.Title()
			return t
		}
	}
}
