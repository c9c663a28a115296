// Package e2e holds the end-to-end tests: the real binary between real
// encoders and real players. They are built with the tag e2e and need the
// programs of packaging/programs.txt, none of which may be missing:
//
//	make e2e
//	make e2e RUN=TestPlayers/film/mpv
package e2e
