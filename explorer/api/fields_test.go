package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
)

// fieldsOf reads an answer, and the names of its fields or of its first item's.
func fieldsOf(t *testing.T, body []byte) (whole map[string]json.RawMessage, names []string) {
	t.Helper()
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	one := whole
	if items, ok := whole["items"]; ok {
		var list []map[string]json.RawMessage
		if err := json.Unmarshal(items, &list); err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return whole, nil
		}
		one = list[0]
	}
	return whole, slices.Sorted(maps.Keys(one))
}

// Each field of each operation's answer can be had alone, with the value that it has
// in the whole; a list keeps its cursor.
func TestChosenFields(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) { chosenFields(t, harnessOf(t, w, w.Known)) })
}

func chosenFields(t *testing.T, h *harness) {
	chosen := 0
	for path, item := range h.document.Paths {
		if !slices.ContainsFunc(item.Get.Parameters, func(p parameter) bool { return p.Name == fieldsParam }) {
			if !strings.HasSuffix(path, ".csv") && path != Prefix+"/events" {
				t.Errorf("%s has no such parameter", path)
			}
			continue
		}
		if h.unproven(path) {
			continue
		}
		target := h.fill(path, h.good())
		sep := map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")]
		whole, names := fieldsOf(t, h.get(target).Body.Bytes())
		for _, name := range names {
			w := h.get(target + sep + fieldsParam + "=" + name)
			part, has := fieldsOf(t, w.Body.Bytes())
			if w.Code != http.StatusOK || !slices.Equal(has, []string{name}) {
				t.Errorf("%s: %s alone: %d, %v", target, name, w.Code, has)
			}
			if _, list := whole["items"]; list && string(part["next"]) != string(whole["next"]) {
				t.Errorf("%s: another cursor: %s, %s", target, part["next"], whole["next"])
			} else if !list && string(part[name]) != string(whole[name]) {
				t.Errorf("%s: %s is %s, and %s in the whole", target, name, part[name], whole[name])
			}
			chosen++
		}
	}
	if chosen < 150 {
		t.Errorf("only %d fields were chosen", chosen)
	}
	w := h.get(Prefix + "/blocks?limit=2&fields=height,hash")
	if _, names := fieldsOf(t, w.Body.Bytes()); !slices.Equal(names, []string{"hash", "height"}) {
		t.Errorf("two fields: %s", w.Body)
	}
}

// What cannot be chosen is refused by name, and problems are never cut.
func TestFieldsThatAreNotThere(t *testing.T) {
	h := newHarness(t)
	for _, bad := range []string{"", "hieght", "height,", "height,height", "Height", "items", "next", " height", "height;hash", strings.Repeat("a", 5000), "\x00"} {
		w := h.get(Prefix + "/blocks?fields=" + url.QueryEscape(bad))
		var problem struct {
			Errors []struct{ Location, Message string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != http.StatusUnprocessableEntity ||
			len(problem.Errors) != 1 || problem.Errors[0].Location != "query.fields" || len(problem.Errors[0].Message) > 1000 {
			t.Errorf("%.40q: %d %s", bad, w.Code, w.Body)
		}
	}
	for target, code := range map[string]int{"/blocks/999999?fields=height": http.StatusNotFound, "/blocks?fields=height&hieght=5": http.StatusUnprocessableEntity, "/blocks?fields=height&limit=0": http.StatusUnprocessableEntity} {
		w := h.get(Prefix + target)
		if w.Code != code || !strings.Contains(w.Body.String(), `"detail"`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := h.get(Prefix + "/blocks?fields=height&fields=hash&limit=1"); w.Code != http.StatusOK {
		t.Errorf("given twice: %d %s", w.Code, w.Body)
	}
}
