package party

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"reflect"
	"slices"
	"sync"
)

// StateDigest is a digest of all that a machine holds, down to the last byte behind every pointer. Functions count only
// as there or not there.
func (m *Machine) StateDigest() [32]byte {
	w := walker{hash: sha256.New(), met: make(map[pointer]uint64)}
	w.value(reflect.ValueOf(m))
	return [32]byte(w.hash.Sum(nil))
}

type walker struct {
	hash hash.Hash
	met  map[pointer]uint64 // pointers in the order in which they were met: each is followed once
}

type pointer struct {
	to   uintptr
	kind reflect.Type
}

func (w *walker) number(x uint64) { w.hash.Write(binary.BigEndian.AppendUint64(nil, x)) }

func (w *walker) value(v reflect.Value) {
	if !v.IsValid() {
		w.number(0)
		return
	}
	w.number(uint64(v.Kind()))
	switch v.Kind() {
	case reflect.Bool:
		w.number(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.number(v.Uint())
	case reflect.Float64:
		w.number(math.Float64bits(v.Float()))
	case reflect.String:
		w.number(uint64(v.Len()))
		w.hash.Write([]byte(v.String()))
	case reflect.Func:
		w.number(map[bool]uint64{true: 1}[v.IsNil()])
	case reflect.Pointer:
		w.pointer(v)
	case reflect.Interface:
		if !v.IsNil() {
			w.hash.Write([]byte(v.Elem().Type().String()))
		}
		w.value(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[sync.Pool]() {
			return // working memory, of no meaning
		}
		for i := range v.NumField() {
			w.value(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		w.list(v)
	case reflect.Map:
		w.entries(v)
	default:
		panic("party: no digest of a " + v.Type().String())
	}
}

func (w *walker) pointer(v reflect.Value) {
	at := pointer{v.Pointer(), v.Type()}
	order, met := w.met[at]
	if v.IsNil() || met {
		w.number(order)
		return
	}
	w.met[at] = uint64(len(w.met) + 1)
	w.value(v.Elem())
}

func (w *walker) list(v reflect.Value) {
	w.number(uint64(v.Len()))
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		w.hash.Write(v.Bytes())
		return
	}
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

// entries digests a map in the order of the digests of its keys.
func (w *walker) entries(v reflect.Value) {
	type entry struct {
		digest []byte
		value  reflect.Value
	}
	var entries []entry
	for it := v.MapRange(); it.Next(); {
		key := walker{hash: sha256.New(), met: make(map[pointer]uint64)}
		key.value(it.Key())
		entries = append(entries, entry{key.hash.Sum(nil), it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.digest, b.digest) })
	w.number(uint64(len(entries)))
	for _, e := range entries {
		w.hash.Write(e.digest)
		w.value(e.value)
	}
}
