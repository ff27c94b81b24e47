package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
)

// body is how the daemon reads one request's body.
type body struct {
	// fresh makes the value that is decoded into.
	fresh func() any
	// older makes the value that engines up to 26 decode into, where that is another one.
	older func() any
	// absent: an empty text is no value at all, and nothing is decoded.
	absent bool
}

// reader is one way in which some engine decodes a body.
type reader struct {
	name  string
	fresh func() any
	// whole: what follows the value is an error, as engines since 23 have it.
	whole  bool
	absent bool
}

func (b body) readers() []reader {
	readers := []reader{{"first value", b.fresh, false, b.absent}, {"whole body", b.fresh, true, b.absent}}
	if b.older != nil {
		readers = append(readers, reader{"embedded", b.older, false, b.absent})
	}
	return readers
}

var errTrailing = errors.New("unexpected content after JSON")

func (r reader) decode(text []byte) (any, error) {
	value := r.fresh()
	if r.absent && len(text) == 0 {
		return value, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(value); err != nil {
		return nil, err
	}
	if r.whole && decoder.More() {
		return nil, errTrailing
	}
	return value, nil
}

type verdict struct {
	// difference says what differs; empty where nothing does.
	difference string
	// bothRefused: the daemon takes neither D nor W.
	bothRefused bool
	// exempted names what differs and may.
	exempted []string
}

func (r reader) compare(operation string, d, w []byte) verdict {
	sent, dErr := r.decode(d)
	written, wErr := r.decode(w)
	switch {
	case dErr != nil && wErr != nil:
		return verdict{bothRefused: true}
	case wErr != nil:
		return verdict{difference: "the daemon takes D and refuses W: " + wErr.Error()}
	case dErr != nil:
		if name := mayBeTaken(r, operation, d, dErr); name != "" {
			return verdict{exempted: []string{name}}
		}
		return verdict{difference: "the daemon refuses D and takes W: " + dErr.Error()}
	case reflect.DeepEqual(sent, written):
		return verdict{}
	}
	exempted := exempt(reflect.ValueOf(sent), reflect.ValueOf(written))
	if !reflect.DeepEqual(sent, written) {
		return verdict{difference: "the daemon reads another value from W: " + firstDifference(sent, written)}
	}
	return verdict{exempted: exempted}
}

// What may differ, and why. Each must still happen, else it is taken out of this list.
const (
	// answer marks fields that only answers have. Tools copy them from inspect; the gate sends none of
	// them on, because moby prefers NetworkID to the key that was judged.
	answer = "answer"
	// embedded: engines up to 26 took the fields of HostConfig also at the top level. The gate refuses
	// what says something there, and drops what says nothing; it judges and sends the same.
	embedded = "embedded"
	// embeddedType: as above, but with an empty value of another type, for which such an engine refuses
	// the whole body.
	embeddedType = "embedded type"
	// rounding: a float32 that comes out as its neighbour, because the gate rounds a text of very many
	// digits twice: to 64 bits, and that to 32. The daemon reads a ratio of tasks that may fail; nobody's bound depends on it.
	rounding = "rounding"
)

var exemptions = []string{answer, embedded, embeddedType, rounding}

// mayBeTaken names why the gate may take what this reading of the daemon refuses.
func mayBeTaken(r reader, operation string, d []byte, err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return ""
	}
	if r.name == "embedded" {
		// Where a newer engine takes D, only what is embedded can be of a wrong type.
		newer := reader{fresh: bodies[operation].fresh}
		if _, err := newer.decode(d); err == nil {
			return embeddedType
		}
	}
	return ""
}

// exempt sets what may differ in D as it is in W, and names what it set.
func exempt(sent, written reflect.Value) []string {
	var names []string
	switch sent.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !sent.IsNil() && !written.IsNil() {
			return exempt(sent.Elem(), written.Elem())
		}
	case reflect.Slice, reflect.Array:
		if sent.Len() == written.Len() {
			for i := range sent.Len() {
				names = append(names, exempt(sent.Index(i), written.Index(i))...)
			}
		}
	case reflect.Map:
		for _, key := range sent.MapKeys() {
			// Values that are no pointers cannot be set, and have nothing exempt in them.
			if other := written.MapIndex(key); other.IsValid() {
				names = append(names, exempt(sent.MapIndex(key), other)...)
			}
		}
	case reflect.Struct:
		for i := range sent.NumField() {
			names = append(names, exemptField(sent.Type().Field(i), sent.Field(i), written.Field(i))...)
		}
	}
	return names
}

func exemptField(field reflect.StructField, sent, written reflect.Value) []string {
	name := field.Tag.Get("oracle")
	if name == "" {
		return exempt(sent, written)
	}
	if name == rounding {
		a, b := float32(sent.Float()), float32(written.Float())
		if a != b && math.Nextafter32(a, b) == b {
			sent.Set(written)
			return []string{name}
		}
		return nil
	}
	if !written.IsZero() || sent.IsZero() || (name != answer && !saysNothing(sent)) {
		return exempt(sent, written)
	}
	sent.SetZero()
	return []string{name}
}

// saysNothing: all in it is empty, false or zero.
func saysNothing(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || saysNothing(v.Elem())
	case reflect.Slice:
		// One empty string is written for a list of words.
		return v.Len() == 0 || v.Type() == reflect.TypeFor[words]() && v.Len() == 1 && v.Index(0).IsZero()
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if !saysNothing(v.MapIndex(key)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range v.NumField() {
			if !saysNothing(v.Field(i)) {
				return false
			}
		}
		return true
	default:
		return v.IsZero()
	}
}

// firstDifference names the first place at which two values differ, for whoever reads the report.
func firstDifference(a, b any) string {
	return differs(reflect.ValueOf(a), reflect.ValueOf(b), "")
}

func differs(a, b reflect.Value, at string) string {
	if a.Kind() != b.Kind() {
		return at
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return at + " (nil on one side)"
		}
		if !a.IsNil() {
			return differs(a.Elem(), b.Elem(), at)
		}
	case reflect.Struct:
		for i := range a.NumField() {
			field := a.Type().Field(i)
			if !same(a.Field(i), b.Field(i)) {
				if field.Anonymous && field.Type.Kind() == reflect.Struct {
					return differs(a.Field(i), b.Field(i), at)
				}
				return differs(a.Field(i), b.Field(i), join(at, field.Name))
			}
		}
	case reflect.Slice:
		if a.IsNil() != b.IsNil() {
			return at + " (null against [])"
		}
		for i := range min(a.Len(), b.Len()) {
			if !same(a.Index(i), b.Index(i)) {
				return differs(a.Index(i), b.Index(i), at+"[]")
			}
		}
	case reflect.Map:
		if a.IsNil() != b.IsNil() {
			return at + " (null against {})"
		}
	}
	return at
}

// same is DeepEqual also for embedded structs without a name to the outside.
func same(a, b reflect.Value) bool {
	if a.CanInterface() {
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
	for i := range a.NumField() {
		if !same(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}
