package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree lists all files and folders below dir, with the files' content.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || entry.IsDir() {
			list = append(list, name+"/")
			return err
		}
		data, err := os.ReadFile(path)
		list = append(list, name+"="+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// bankFiles is a file for each of three banks.
func bankFiles() []file {
	return []file{{"alice", "f", []byte("1")}, {"bob", "f", []byte("2")}, {"charlie", "f", []byte("3")}}
}

// wantTree compares a folder with a list.
func wantTree(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWriteReplacesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := (output{dir: dir}).write(bankFiles()); err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "alice/", "alice/f=1", "bob/", "bob/f=2", "charlie/", "charlie/f=3")
	}
}

// TestAllOrNothing: each row puts something in the way of the last file. Neither check nor write leaves anything.
func TestAllOrNothing(t *testing.T) {
	for name, block := range map[string]func(dir string) error{
		"the bank is a file":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "charlie"), nil, 0o600) },
		"the file is a folder":   func(dir string) error { return os.MkdirAll(filepath.Join(dir, "charlie", "f"), 0o700) },
		"another run is at it":   func(dir string) error { return os.MkdirAll(filepath.Join(dir, "charlie", ".f.tmp"), 0o700) },
		"the bank is a dead end": func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "charlie")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := block(dir); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			o := output{dir: dir}
			for what, err := range map[string]error{"check": o.check([]string{"alice", "bob", "charlie"}, "f"), "write": o.write(bankFiles())} {
				if err == nil || !strings.Contains(err.Error(), "charlie") {
					t.Errorf("%s: %v", what, err)
				}
			}
			after, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(after) != len(before) || after[0].Name() != "charlie" {
				t.Errorf("%v, before %v", after, before)
			}
		})
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := (output{dir: filepath.Join(dir, "deep", "er")}).check([]string{"alice"}, "f"); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir)
}

// TestRenameFails: when the second of three files cannot get its name, the first, which was new, is removed again.
func TestRenameFails(t *testing.T) {
	dir := t.TempDir()
	s := &staged{output: output{dir: filepath.Join(dir, "new")}}
	for _, f := range bankFiles() {
		if err := s.add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "new", "bob", "f"), 0o700); err != nil { // since it was looked at
		t.Fatal(err)
	}
	if err := s.commit(); err == nil || !strings.Contains(err.Error(), "bob") {
		t.Errorf("%v", err)
	}
	if err := s.discard(); err == nil || !strings.Contains(err.Error(), "bob") {
		t.Errorf("what is in bob's folder was removed: %v", err)
	}
	wantTree(t, dir, "new/", "new/bob/", "new/bob/f/")
}

// TestTwinsShareAFolder: what another copy of a party has put into a folder that this one has made stays, and is no error; nor is it that the
// other has removed the folder.
func TestTwinsShareAFolder(t *testing.T) {
	for name, c := range map[string]struct {
		twin func(folder string) error
		left []string
	}{
		"writes":  {func(folder string) error { return os.WriteFile(filepath.Join(folder, "theirs"), nil, 0o600) }, []string{"new/", "new/alice/", "new/alice/theirs="}},
		"removes": {func(folder string) error { return os.RemoveAll(filepath.Dir(folder)) }, nil},
	} {
		dir := t.TempDir()
		s := &staged{output: output{dir: filepath.Join(dir, "new"), survives: true}}
		if err := s.add(file{"alice", "f", []byte("x")}); err != nil {
			t.Fatal(err)
		}
		for _, r := range s.pending { // as if a removal of temporary files had come first
			if err := os.Remove(r.from); err != nil {
				t.Fatal(err)
			}
		}
		s.pending = nil
		if err := c.twin(filepath.Join(dir, "new", "alice")); err != nil {
			t.Fatal(err)
		}
		if err := s.discard(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantTree(t, dir, c.left...)
	}
}

func TestScoresAreForTheUserAlone(t *testing.T) {
	dir := t.TempDir()
	for private, want := range map[bool]fs.FileMode{true: 0, false: 0o044} {
		o := output{dir: filepath.Join(dir, map[bool]string{true: "private", false: "public"}[private]), private: private}
		if err := o.write(bankFiles()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(o.path("bob", "f"))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm() & 0o044; got&^want != 0 {
			t.Errorf("private %v: others may %v", private, got)
		}
	}
}

// TestLargeFile: a file that is far too large is refused before it is read. This one takes no room: it is all hole.
func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.csv")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readFile(path); err == nil || !strings.HasSuffix(err.Error(), "has 1073741825 bytes: at most 1073741824 are read") {
		t.Errorf("%v", err)
	}
}
