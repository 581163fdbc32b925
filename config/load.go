package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/viper"

	"github.com/tallystick/tallystick/config/tomlfile"
)

// MaxFileBytes is the largest file that Load reads. The TOML parser recurses,
// so this bounds its stack, as its own limit does.
const MaxFileBytes = 64 << 10

// Load reads the file at path, applies the environment over it and validates
// the result. The error names every problem found, one a line; it wraps
// fs.ErrNotExist where there is no file. A file without any text is refused,
// because it is more likely a damaged one than a wish for all defaults.
func Load(path string) (Config, error) {
	c, _, err := load(path)
	return c, err
}

// load is Load, with the source of every setting by its name.
func load(path string) (Config, map[string]Source, error) {
	data, err := readFile(path)
	if err != nil {
		return Config{}, nil, err
	}
	c, sources, err := parse(data, os.Environ())
	if err != nil {
		return Config{}, nil, fmt.Errorf("config file %s:\n%w", path, err)
	}
	return c, sources, nil
}

// readFile reads a file of at most MaxFileBytes.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open config file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read config file: %w", err)
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("config file %s: larger than %d bytes; is it a config file?", path, MaxFileBytes)
	}
	return data, nil
}

// parse makes a Config of the text of a file. environ ("NAME=value") is searched
// for unknown variables; the values of known ones viper reads by itself.
func parse(data []byte, environ []string) (Config, map[string]Source, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return Config{}, nil, errors.New("the file is empty; write a new one with `tally init`, or one comment to take every default")
	}
	tree := strictTOML{}
	v := viper.NewWithOptions(viper.WithDecoderRegistry(tree))
	v.SetConfigType("toml")
	v.AllowEmptyEnv(true)
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		if of, ok := errors.AsType[viper.ConfigParseError](err); ok {
			err = of.Unwrap()
		}
		return Config{}, nil, err
	}
	problems := slices.Concat(unknownKeys(tree), unknownVariables(environ))
	c, sources := Default(), map[string]Source{}
	for _, s := range settings {
		if err := v.BindEnv(s.name, s.environment()); err != nil {
			return Config{}, nil, fmt.Errorf("bind %s: %w", s.environment(), err)
		}
		source, err := s.take(v, &c)
		sources[s.name] = source
		if err != nil {
			problems = append(problems, err)
		}
	}
	if table, isTable := tree["comet"].(map[string]any); isTable && len(table) > 0 {
		c.Comet = v.GetStringMap("comet")
	}
	subject := func(s setting) string { return s.subject(sources[s.name]) }
	problems = append(problems, c.validate(subject))
	return c, sources, errors.Join(problems...)
}

// take moves the setting's value from viper, if there is one, and says where it
// was found.
func (s setting) take(v *viper.Viper, c *Config) (Source, error) {
	_, inEnvironment := os.LookupEnv(s.environment())
	raw := v.Get(s.name)
	if raw == nil {
		return FromDefault, nil
	}
	source, move := FromFile, func(trial *Config) bool { return s.decode(trial, raw) }
	if value, isText := raw.(string); inEnvironment && isText {
		source, move = FromEnvironment, func(trial *Config) bool { return s.parse(trial, value) }
	}
	trial := *c
	if !move(&trial) {
		return source, fmt.Errorf("%s = %w", s.subject(source), wrong(raw, s.form))
	}
	*c = trial
	return source, nil
}

// subject names the setting in an error: by the variable that set it, if one did.
func (s setting) subject(source Source) string {
	if source == FromEnvironment {
		return s.environment()
	}
	return s.name
}

// unknownKeys reports every key of the file that is no setting, and every
// section that is no table.
func unknownKeys(tree map[string]any) []error {
	known := knownNames()
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		value := tree[name]
		table, isTable := value.(map[string]any)
		section := name == "comet" || isSection(name)
		switch {
		case section && !isTable:
			problems = append(problems, fmt.Errorf("%s = %w", name, wrong(value, "a table, ["+name+"]")))
		case name == "comet":
		case section:
			for _, inner := range slices.Sorted(maps.Keys(table)) {
				problems = append(problems, unknownKey(name+"."+inner, known)...)
			}
		default:
			problems = append(problems, unknownName(name, table, isTable, known)...)
		}
	}
	return problems
}

// knownNames are all keys and all tables.
func knownNames() []string {
	names := []string{"comet"}
	for _, s := range settings {
		names = append(names, s.name)
	}
	for _, s := range sections[1:] {
		names = append(names, s.name)
	}
	return names
}

// unknownName judges a name outside every section: a key of none, or a section
// that there is not.
func unknownName(name string, table map[string]any, isTable bool, known []string) []error {
	if !isTable || len(table) == 0 {
		return unknownKey(name, known)
	}
	var problems []error
	for _, inner := range slices.Sorted(maps.Keys(table)) {
		problems = append(problems, unknownKey(name+"."+inner, known)...)
	}
	return problems
}

func unknownKey(name string, known []string) []error {
	if slices.Contains(known, name) {
		return nil
	}
	return []error{fmt.Errorf("%s: no such key%s", name, question(Nearest(name, known)))}
}

func isSection(name string) bool {
	for _, s := range sections {
		if name != "" && s.name == name {
			return true
		}
	}
	return false
}

// strictTOML decodes TOML for viper and keeps what it decoded. It refuses what
// viper would change or lose: names that differ in case only, names with dots
// in quotes, and values of types that no setting has. TOML itself refuses a key
// that stands twice.
type strictTOML map[string]any

// Decoder returns the receiver itself, which knows one format.
func (t strictTOML) Decoder(string) (viper.Decoder, error) { return t, nil }

// Decode reads data into the receiver and, for viper, into tree.
func (t strictTOML) Decode(data []byte, tree map[string]any) error {
	if err := tomlfile.Read(data, &tree); err != nil {
		return err
	}
	maps.Copy(t, tree)
	return errors.Join(checkTree("", tree, 0)...)
}
