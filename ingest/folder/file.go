package folder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"headwater/mux"
	"headwater/mux/audio"
)

// errForeign is why a file is not played.
var errForeign = errors.New("it is neither MP3 nor AAC in ADTS: convert it, for example ffmpeg -i FILE -c:a libmp3lame NEW.mp3")

// file is an audio file that is being played, past its tag.
type file struct {
	entry
	io.Reader
	file *os.File
}

// openFile opens what e tells of, finds its title and the beginning of its sound.
func openFile(e entry) (_ *file, err error) {
	info, err := os.Stat(e.path) // before it is opened: a pipe would wait for somebody to write
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	f, err := os.Open(e.path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	title, begin := readTags(f, info.Size())
	if e.title.Name == "" {
		e.title = title
	}
	if e.title.Name == "" {
		e.title = mux.ParseTitle(stem(e.path)).Clean()
	}
	if _, err := f.Seek(begin, io.SeekStart); err != nil {
		return nil, err
	}
	const enough = 64 << 10
	head := make([]byte, enough)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	c, offset, ok := audio.Recognise(head[:n])
	if !ok || c == mux.CodecUnknown {
		return nil, errForeign
	}
	if _, err := f.Seek(begin+int64(offset), io.SeekStart); err != nil {
		return nil, err
	}
	return &file{entry: e, Reader: f, file: f}, nil
}

// Close closes the file.
func (f *file) Close() { f.file.Close() } // it was only read: there is nothing to lose

// stem returns the name of a file without folder and extension.
func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}
