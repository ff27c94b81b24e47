// Command oracle says where Docker's daemon would read another value from what the gate writes (W)
// than from what the client sent (D).
//
// It decodes both with Go's own encoding/json into structs of the daemon's shape, as dockerd does, and
// compares strictly: a nil slice is no empty slice, a nil pointer is no pointer to zero.
//
//	oracle fields    lists every field of every body: operation, path, type
//	oracle compare   reads records from stdin, reports every difference
//
// A record is the operation, D and W, each after its length as four bytes, big endian.
//
// Versions of Go: engines have so far been built with Go 1.12 and later, below 1.27, and those have one
// decoder. It takes a key for a field when the two are equal after folding letter case, U+017F as s and
// U+212A as k; Go 1.21 only folds faster than Go 1.19 did. Since Go 1.27 encoding/json is a layer over
// encoding/json/v2 (GOEXPERIMENT=jsonv2, off in Go 1.25 and 1.26, on since), which is meant to read the
// same. The harness builds this program with either and asks both.
//
// Versions of the daemon: fields are the union over engines 19.03 to 29, each of the type that most of
// them have. Engine 29 reads addresses, ports and prefixes into types that refuse more; from the same
// text they come out the same. It also has plain lists of strings where older engines have words.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"sort"
)

// mostReported bounds how many differences are written out; all are counted.
const mostReported = 100

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	switch {
	case len(os.Args) == 2 && os.Args[1] == "fields":
		listFields(out)
	case len(os.Args) == 2 && os.Args[1] == "compare":
		if err := compareAll(bufio.NewReaderSize(os.Stdin, 1<<20), out); err != nil {
			out.Flush()
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: oracle fields | compare")
		os.Exit(2)
	}
}

func compareAll(in io.Reader, out io.Writer) error {
	var records, refused, differences int
	exempted := map[string]int{}
	for _, e := range exemptions {
		exempted[e] = 0
	}
	for ; ; records++ {
		operation, err := next(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		d, err := next(in)
		if err != nil {
			return fmt.Errorf("record %d ends early: %w", records, err)
		}
		w, err := next(in)
		if err != nil {
			return fmt.Errorf("record %d ends early: %w", records, err)
		}
		body, known := bodies[string(operation)]
		if !known {
			return fmt.Errorf("record %d: no body for %s", records, operation)
		}
		for _, reader := range body.readers() {
			verdict := reader.compare(string(operation), d, w)
			for _, e := range verdict.exempted {
				exempted[e]++
			}
			if verdict.bothRefused {
				refused++
			}
			if verdict.difference == "" {
				continue
			}
			differences++
			if differences <= mostReported {
				fmt.Fprintf(out, "differ\t%d\t%s\t%s\t%s\t%q\t%q\n", records, operation, reader.name, verdict.difference, d, w)
			}
		}
	}
	names := make([]string, 0, len(exempted))
	for name := range exempted {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(out, "exempt\t%s\t%d\n", name, exempted[name])
	}
	_, err := fmt.Fprintf(out, "done\t%s\t%d\t%d\t%d\n", runtime.Version(), records, refused, differences)
	return err
}

func next(in io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, err
	}
	part := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(in, part); err != nil {
		return nil, fmt.Errorf("a part of %d bytes: %w", len(part), err)
	}
	return part, nil
}

// listFields writes each place of each body once: `[]` is an item of a list, `{}` a value of a map, and
// the body itself is a dot.
func listFields(out io.Writer) {
	operations := make([]string, 0, len(bodies))
	for operation := range bodies {
		operations = append(operations, operation)
	}
	sort.Strings(operations)
	for _, operation := range operations {
		list := func(path, kind string) { fmt.Fprintf(out, "%s %s %s\n", operation, path, kind) }
		walkType(reflect.TypeOf(bodies[operation].fresh()).Elem(), "", list)
	}
}

func walkType(t reflect.Type, path string, list func(path, kind string)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	at := path
	if at == "" {
		at = "."
	}
	switch {
	case t == reflect.TypeFor[words]():
		list(at, "words")
	case t == reflect.TypeFor[filters]():
		list(at, "filters")
	case t == reflect.TypeFor[[]byte]():
		list(at, "base64")
	case t.Kind() == reflect.String:
		list(at, "text")
	case t.Kind() == reflect.Struct:
		list(at, "object")
		for i := range t.NumField() {
			field := t.Field(i)
			if field.Anonymous {
				walkFields(field.Type, path, list)
				continue
			}
			walkType(field.Type, join(path, keyOf(field)), list)
		}
	case t.Kind() == reflect.Map:
		list(at, "map")
		walkType(t.Elem(), path+"{}", list)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		list(at, "array")
		walkType(t.Elem(), path+"[]", list)
	default:
		list(at, t.Kind().String())
	}
}

// walkFields lists the fields of an embedded struct, which stand in the object around it.
func walkFields(t reflect.Type, path string, list func(path, kind string)) {
	walkType(t, path, func(at, kind string) {
		if at != path && at != "." {
			list(at, kind)
		}
	})
}

func keyOf(field reflect.StructField) string {
	if key := field.Tag.Get("json"); key != "" {
		return key
	}
	return field.Name
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
