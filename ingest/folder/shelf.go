package folder

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"headwater/mux"
)

const (
	// maxFiles bounds what is remembered of a folder.
	maxFiles = 50_000
	// maxFolders bounds the folders that are watched.
	maxFolders = 1_000
	// settled is how long a file must not have changed to be taken: one that is
	// being written is not whole.
	settled = time.Second
)

// entry is a file that may be played.
type entry struct {
	path  string
	title mux.Title // as an .m3u tells, or nothing
	stamp stamp
}

// stamp is what shows that a file has changed.
type stamp struct {
	size     int64
	modified int64 // nanoseconds since 1970
}

// contents is what a scan found. It is immutable.
type contents struct {
	files     []entry
	folders   []string // to be watched
	unsettled bool     // something is being written: look again soon
}

// shelf is what there is to play: the files below a folder, or those of an
// .m3u. One goroutine scans it, another reads what was found.
type shelf struct {
	path    string
	listed  bool // the path is an .m3u
	log     *slog.Logger
	found   atomic.Pointer[contents]
	changed chan struct{} // capacity 1: the files are others than before

	faulty string // the last line about a fault; of the goroutine that scans
}

func newShelf(path string, log *slog.Logger) shelf {
	ext := strings.ToLower(filepath.Ext(path))
	return shelf{path: path, listed: ext == ".m3u" || ext == ".m3u8", log: log, changed: make(chan struct{}, 1)}
}

// stat looks whether there is something at the path.
func (s *shelf) stat() (fs.FileInfo, error) { return os.Stat(s.path) }

// files returns what the last scan found. Nobody changes it.
func (s *shelf) files() []entry {
	if c := s.found.Load(); c != nil {
		return c.files
	}
	return nil
}

// unsettled reports whether the last scan found something that is being written.
func (s *shelf) unsettled() bool {
	c := s.found.Load()
	return c != nil && c.unsettled
}

// scan looks what there is. It reports whether something is being written.
func (s *shelf) scan(now time.Time) (unsettled bool) {
	c := &contents{}
	var err error
	if s.listed {
		err = c.readList(s.path, now)
	} else {
		err = c.walk(s.path, now)
	}
	switch {
	case err == nil:
		s.faulty = ""
	case err.Error() != s.faulty:
		s.faulty = err.Error()
		s.log.Warn("not all that is to be played can be seen", "folder", s.path, "error", err)
	}
	before := s.files()
	s.found.Store(c)
	if !slices.Equal(before, c.files) {
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
	return c.unsettled
}

// add adds a file, unless it is still being written.
func (c *contents) add(e entry, info fs.FileInfo, now time.Time) {
	if age := now.Sub(info.ModTime()); age >= 0 && age < settled {
		c.unsettled = true
		return
	}
	e.stamp = stamp{info.Size(), info.ModTime().UnixNano()}
	c.files = append(c.files, e)
}

// errMany ends a scan.
var errMany = errors.New("there are too many files: those beyond 50,000 files or 1,000 folders are not played")

// walk finds the files below dir, by name. Hidden ones do not count.
func (c *contents) walk(dir string, now time.Time) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	var fault error
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		hidden := path != root && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			fault = err
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden:
			return nil
		case d.IsDir():
			c.folders = append(c.folders, path)
		default:
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() { // through a link, too
				c.add(entry{path: path}, info, now)
			}
		}
		if len(c.files) >= maxFiles || len(c.folders) >= maxFolders {
			return errMany
		}
		return nil
	})
	return errors.Join(err, fault)
}

// readList reads an .m3u: a file a line, by its path from where the list is.
func (c *contents) readList(path string, now time.Time) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c.folders = []string{filepath.Dir(path)}
	const longest = 64 << 10
	lines := bufio.NewScanner(io.LimitReader(f, maxFiles*1024))
	lines.Buffer(nil, longest)
	var title mux.Title
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			if info, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
				if _, text, ok := strings.Cut(info, ","); ok {
					title = mux.ParseTitle(text).Clean()
				}
			}
		case len(c.files) >= maxFiles:
			return errMany
		default:
			c.list(entry{path: line, title: title}, filepath.Dir(path), now)
			title = mux.Title{}
		}
	}
	return lines.Err()
}

// list adds a file of a list that stands in dir. One that is not there is
// added, too: whoever wants to play it will say so.
func (c *contents) list(e entry, dir string, now time.Time) {
	e.path = filepath.FromSlash(e.path)
	if !filepath.IsAbs(e.path) {
		e.path = filepath.Join(dir, e.path)
	}
	info, err := os.Stat(e.path)
	if err != nil {
		e.stamp.size = -1
		c.files = append(c.files, e)
		return
	}
	c.add(e, info, now)
}
