//go:build !unix

package store

import "os"

// lockFile does nothing: without flock a folder must not be shared by processes.
func lockFile(*os.File) error { return nil }

func unlockFile(*os.File) {}
