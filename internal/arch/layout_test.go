package arch

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	present := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		present[name] = true
		_, further := furtherNames[name]
		if !further && !slices.Contains(requiredNames, name) && !ignored(t)[name] {
			t.Errorf("%s stands at the top level; move it into a room, name it in .gitignore if it is made by running, "+
				"or add it to furtherNames in rooms_test.go with its reason", name)
		}
	}
	for _, name := range requiredNames {
		if !present[name] {
			t.Errorf("%s is missing at the top level", name)
		}
	}
}

// vague matches names that say nothing of what is inside.
var vague = regexp.MustCompile(`^(utils?|common|helpers?|misc|shared|stuff|types2)(_test)?(\.[a-z]+)?$`)

func TestNamesSayWhatIsInside(t *testing.T) {
	walk(t, ".", func(name string) {
		for dir := name; dir != "."; dir = path.Dir(dir) {
			if vague.MatchString(path.Base(dir)) {
				t.Errorf("%s: name it after what it holds (transfer.go, validate.go), not %s", name, path.Base(dir))
			}
		}
	})
	for name, want := range map[string]bool{
		"util.go": true, "helpers_test.go": true, "common": true, "misc.md": true,
		"transfer.go": false, "utility.go": false, "uncommon.go": false,
	} {
		if vague.MatchString(name) != want {
			t.Errorf("the rule judges %s wrongly", name)
		}
	}
}

// ignored are the paths that .gitignore names from the root: made by running,
// and no part of the repository.
func ignored(t *testing.T) map[string]bool {
	t.Helper()
	paths, err := readIgnored()
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

var readIgnored = sync.OnceValues(func() (map[string]bool, error) {
	data, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if name, fromRoot := strings.CutPrefix(strings.TrimSpace(line), "/"); fromRoot {
			paths[strings.TrimSuffix(name, "/")] = true
		}
	}
	return paths, nil
})
