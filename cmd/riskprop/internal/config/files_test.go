package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestWriteNew(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o644} {
		folder := t.TempDir()
		path := filepath.Join(folder, "file")
		if err := WriteNew(path, []byte("text"), mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != mode {
			t.Errorf("%v, %v, want mode %v", info, err, mode)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "text" {
			t.Errorf("%q, %v", text, err)
		}
		alone(t, folder, "file")
	}
}

func TestWriteNewInTheCurrentFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := WriteNew("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	alone(t, ".", "file")
}

// Whatever has the name already stays as it is.
func TestWriteNewOverwritesNothing(t *testing.T) {
	folder := t.TempDir()
	file, link, dir := filepath.Join(folder, "file"), filepath.Join(folder, "link"), filepath.Join(folder, "dir")
	put(t, file, "old", 0o600)
	if err := errors.Join(os.Symlink("nowhere", link), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, dir} {
		err := WriteNew(path, []byte("new"), 0o600)
		says(t, err, path, "is there already, and is not overwritten", "choose another name")
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v is not fs.ErrExist", err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	alone(t, folder, "file", "link", "dir")
	says(t, WriteNew(filepath.Join(file, "below"), nil, 0o600), "cannot write "+file+"/below")
	says(t, WriteNew(filepath.Join(folder, "missing", "file"), nil, 0o600), "cannot write", "missing/file")
}

// Of several writers at once one wins, and its file is whole.
func TestWriteNewAtOnce(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := WriteNew(path, bytes.Repeat([]byte{byte('a' + i)}, 10000), 0o600)
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(path)
	if err != nil || won.Load() != 1 || len(text) != 10000 || len(bytes.Trim(text, string(text[:1]))) > 0 {
		t.Errorf("%d won, and left %d bytes, %v", won.Load(), len(text), err)
	}
	alone(t, folder, "file")
}

func TestReadRefuses(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	put(t, at("long"), strings.Repeat("#", maxFile+1), 0o600)
	put(t, at("open"), "secret", 0o640)
	put(t, at("others"), "secret", 0o604)
	if err := errors.Join(syscall.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("dir"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, fragment := range map[string]string{
		"missing": "cannot read: open " + at("missing"),
		"pipe":    at("pipe") + ": this is no regular file",
		"dir":     at("dir") + ": this is no regular file",
		"long":    at("long") + ": the file has 65537 bytes: at most 65536 are read",
	} {
		_, err := Load(at(name), ParseParty)
		says(t, err, fragment)
		_, err = ReadIdentity(at(name), nil)
		says(t, err, fragment)
		_, err = ReadPassphrase(at(name))
		says(t, err, fragment)
		_, err = ReadKeyShare(at(name), []byte("x"), agreed(t).Roster())
		says(t, err, fragment)
	}
	for name, mode := range map[string]string{"open": "0640", "others": "0604"} {
		_, err := ReadIdentity(at(name), nil)
		says(t, err, at(name)+": mode "+mode, "chmod 600")
		_, err = ReadPassphrase(at(name))
		says(t, err, at(name)+": mode "+mode, "chmod 600")
	}
}

func TestReadPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passphrase")
	for text, want := range map[string]string{
		"one line": "one line", "one line\n": "one line", "first\nsecond\n": "first", "dos\r\n": "dos", " kept \n": " kept ", "\xff\n": "\xff",
	} {
		put(t, path, text, 0o600)
		if got, err := ReadPassphrase(path); err != nil || string(got) != want {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
	for text, fragment := range map[string]string{
		"": "the passphrase is empty", "\nsecond": "the passphrase is empty", strings.Repeat("x", maxPassphrase+1): "more than 1024 bytes",
	} {
		put(t, path, text, 0o600)
		_, err := ReadPassphrase(path)
		says(t, err, path+": ", fragment)
	}
}

// A file may grow, or fail, while it is read.
func TestDrain(t *testing.T) {
	data, err := drain(io.MultiReader(strings.NewReader("ab"), strings.NewReader("cd")), 4)
	if err != nil || string(data) != "abcd" {
		t.Errorf("%q, %v", data, err)
	}
	_, err = drain(endless{}, 4)
	says(t, err, "more than 4 bytes")
	data, err = drain(io.MultiReader(strings.NewReader("ab"), broken{}), 4)
	if string(data) != "ab" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", data, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestWriteNewTidies: what a writer who was killed has left is removed by the next one, and what another writes at this moment is not.
func TestWriteNewTidies(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "identity.yaml")
	var left []string
	for range 2 {
		f, err := CreateTemporary(path)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, f.Name())
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * leftBehind)
	if err := os.Chtimes(left[0], old, old); err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old file is there: %v", err)
	}
	if _, err := os.Stat(left[1]); err != nil {
		t.Errorf("the new file is not: %v", err)
	}
}
