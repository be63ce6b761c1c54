package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// readBounded reads a regular file of at most 64 KiB that passes the check.
func readBounded(path string, check func(os.FileInfo) error) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a named pipe must not block
	if err != nil {
		return nil, fmt.Errorf("cannot read: %w", err)
	}
	data, err := readOpen(file, check)
	if err := errors.Join(err, file.Close()); err != nil {
		clear(data)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func readOpen(file *os.File, check func(os.FileInfo) error) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("this is no regular file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("the file has %d bytes: at most %d are read", info.Size(), maxFile)
	}
	if err := check(info); err != nil {
		return nil, err
	}
	data, err := drain(file, maxFile)
	if err != nil {
		return data, fmt.Errorf("cannot read it: %w", err)
	}
	return data, nil
}

// drain reads everything, up to limit bytes, without leaving a copy behind. What it returns next to an error is to be wiped.
func drain(r io.Reader, limit int) ([]byte, error) {
	buffer := make([]byte, limit+1)
	n := 0
	for {
		read, err := r.Read(buffer[n:])
		n += read
		switch {
		case err == io.EOF:
			return buffer[:n], nil
		case err != nil:
			return buffer[:n], err
		case n > limit:
			return buffer, fmt.Errorf("there are more than %d bytes", limit)
		}
	}
}

// private demands that nobody but the owner may read a file.
func private(info os.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("mode %04o lets others at this secret: chmod 600 it, and replace the secret if somebody may have read it", mode)
	}
	return nil
}

// ReadPassphrase reads the first line of a file for nobody but its owner. The caller wipes it.
func ReadPassphrase(path string) ([]byte, error) {
	data, err := readBounded(path, private)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if err := checkPassphrase(line); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return bytes.Clone(line), nil
}

// WriteNew writes a file that must not be there yet, with exactly this mode. Under its name it is complete and on the disk, or not there.
func WriteNew(path string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return taken(path)
	}
	temporary, err := CreateTemporary(path)
	if err = errors.Join(err, Tidy(path)); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Link(temporary.Name(), path) // fails where there is a file, as a renaming would not
	}
	err = errors.Join(err, os.Remove(temporary.Name()))
	switch {
	case errors.Is(err, fs.ErrExist):
		return taken(path)
	case err != nil:
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	if err := SyncFolder(filepath.Dir(path)); err != nil {
		return errors.Join(fmt.Errorf("make %s durable: %w", path, err), os.Remove(path))
	}
	return nil
}

// leftBehind is the age from which a temporary file is that of a writer who was killed.
const leftBehind = time.Minute

// CreateTemporary makes a file for its owner alone, beside the one that it is to become.
func CreateTemporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
}

// Tidy removes the files of CreateTemporary that writers who were killed have left behind.
func Tidy(path string) error {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp"))
	if err != nil {
		return err
	}
	for _, path := range left {
		info, err := os.Stat(path)
		if err == nil && time.Since(info.ModTime()) > leftBehind {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// taken is the error about a file that is there already.
func taken(path string) error {
	return fmt.Errorf("%s is there already, and is not overwritten: choose another name, or move it away: %w", path, fs.ErrExist)
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
