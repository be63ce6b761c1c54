package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party/ledger"
	"riskprop/party/plain"
)

// file is a file to be written into a bank's folder.
type file struct {
	bank, name string
	data       []byte
}

// output is the folder that a command writes into.
type output struct {
	dir     string
	private bool // for the user alone: scores are
	// survives is set where a writer may have been killed and started again, or have a twin: what it has left behind under a
	// temporary name is in nobody's way.
	survives bool
}

// path returns where a file of a bank's folder goes.
func (o output) path(bank, name string) string { return filepath.Join(o.dir, bank, name) }

// scoreFiles are the result files of all banks.
func scoreFiles(results []plain.Result) []file {
	files := make([]file, len(results))
	for i, r := range results {
		files[i] = file{r.Bank, scoresFile, ledger.FormatScores(r.Scores)}
	}
	return files
}

// check writes a file of this name for every bank, empty and under a temporary name, and removes them again, with the folders made for
// them: it fails where write would fail, but before the work is done.
func (o output) check(banks []string, name string) error {
	s := &staged{output: o}
	for _, bank := range banks {
		if err := s.add(file{bank: bank, name: name}); err != nil {
			return errors.Join(err, s.discard())
		}
	}
	return s.discard()
}

// write writes the files. Every file is complete and on the disk before the first appears under its name; after an error no file and no folder
// is left that was not there before.
func (o output) write(files []file) error {
	s := &staged{output: o}
	for _, f := range files {
		if err := s.add(f); err != nil {
			return errors.Join(err, s.discard())
		}
	}
	if err := s.commit(); err != nil {
		return errors.Join(err, s.discard())
	}
	return nil
}

// staged are files that have been written under temporary names.
type staged struct {
	output
	pending []rename
	made    []string // files and folders that were not there before, in the order in which they were made
}

// rename is what remains to be done for a file.
type rename struct{ from, to string }

// add writes a file under a temporary name in its final folder, which it makes where it is missing.
func (s *staged) add(f file) error {
	path := s.path(f.bank, f.name)
	folder := filepath.Dir(path)
	if err := s.makeFolder(folder); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return fmt.Errorf("cannot write %s: a folder of that name is in the way", path)
	}
	w, err := s.temporary(folder, f.name)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	s.pending = append(s.pending, rename{w.Name(), path})
	_, err = w.Write(f.data)
	if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// temporary makes the file that a result is written to first.
func (s *staged) temporary(folder, name string) (*os.File, error) {
	if s.survives {
		return config.CreateTemporary(filepath.Join(folder, name))
	}
	path := filepath.Join(folder, "."+name+".tmp")
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, s.mode(0o666))
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there: another run is writing, or was killed; remove it", path)
	}
	return w, err
}

// tidy removes what killed writers have left in a bank's folder.
func (o output) tidy(bank, name string) error { return config.Tidy(o.path(bank, name)) }

// makeFolder makes a folder and those above it, and remembers which.
func (s *staged) makeFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("cannot write into %s: it is not a folder", path)
	case filepath.Dir(path) != path:
		if err := s.makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
		if err := os.Mkdir(path, s.mode(0o777)); err != nil {
			return fmt.Errorf("cannot make the folder: %w", err)
		}
		s.made = append(s.made, path)
		return nil
	}
	return fmt.Errorf("cannot write into %s: %w", path, err)
}

// mode takes the rights of others from a mode, for private output. The user's mask applies as well.
func (s *staged) mode(mode fs.FileMode) fs.FileMode {
	if s.private {
		return mode & 0o700
	}
	return mode
}

// commit gives all files their names.
func (s *staged) commit() error {
	for len(s.pending) > 0 {
		r := s.pending[0]
		_, err := os.Lstat(r.to)
		if err := os.Rename(r.from, r.to); err != nil {
			return fmt.Errorf("give %s its name: %w", r.to, err)
		}
		s.pending = s.pending[1:]
		if errors.Is(err, fs.ErrNotExist) {
			s.made = append(s.made, r.to)
		}
		if err := config.SyncFolder(filepath.Dir(r.to)); err != nil {
			return fmt.Errorf("make %s durable: %w", r.to, err)
		}
	}
	return nil
}

// discard removes everything that was made.
func (s *staged) discard() error {
	var errs []error
	for _, r := range s.pending {
		errs = append(errs, os.Remove(r.from))
	}
	for i := len(s.made) - 1; i >= 0; i-- {
		err := os.Remove(s.made[i])
		if s.survives && (errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist)) {
			continue // another copy of this party writes into this folder, or has removed it
		}
		errs = append(errs, err)
	}
	s.pending, s.made = nil, nil
	return errors.Join(errs...)
}
