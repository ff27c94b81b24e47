package main

import "encoding/json"

// filters is filters.Args: a set of values for each key, or else a list of them.
type filters struct{ Fields map[string]map[string]bool }

func noFilters() any { return &filters{Fields: map[string]map[string]bool{}} }

func (f *filters) UnmarshalJSON(text []byte) error {
	sets := map[string]map[string]bool{}
	if json.Unmarshal(text, &sets) != nil {
		lists := map[string][]string{}
		if err := json.Unmarshal(text, &lists); err != nil {
			return err
		}
		sets = map[string]map[string]bool{}
		for key, list := range lists {
			sets[key] = map[string]bool{}
			for _, value := range list {
				sets[key][value] = true
			}
		}
	}
	// Null leaves the empty ones that were there.
	if sets != nil {
		f.Fields = sets
	}
	return nil
}

type buildOutput struct {
	Type  string
	Attrs map[string]string
}

type platform struct {
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os.version"`
	OSFeatures   []string `json:"os.features"`
	Variant      string   `json:"variant"`
}
