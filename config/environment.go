package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// environmentPrefix begins the name of every variable that this package reads.
const environmentPrefix = "TALLY_"

// reserved are the variables with that prefix that are not keys.
var reserved = []string{"TALLY_HOME", "TALLY_PASSPHRASE", "TALLY_API_KEY", "TALLY_RPC_CA"}

// serviceVariable matches what Kubernetes sets in every container for a service
// called tally-something. No key ends like that.
var serviceVariable = regexp.MustCompile(
	`_SERVICE_(HOST|PORT(_.*)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// injected reports whether Kubernetes set the variable. The one name that an
// operator could have meant, …_PORT, is told apart by its value, a URL.
func injected(name, value string) bool {
	return serviceVariable.MatchString(name) ||
		strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

// unknownVariables reports the variables among environ ("NAME=value") that look
// like settings and are none: those of a known section, and those that are
// nearly the name of a key.
func unknownVariables(environ []string) []error {
	known := make([]string, len(settings))
	for i, s := range settings {
		known[i] = s.environment()
	}
	var problems []error
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, environmentPrefix) || slices.Contains(known, name) ||
			slices.Contains(reserved, name) || injected(name, value) {
			continue
		}
		if err := unknownVariable(name, known); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// unknownVariable judges one variable that is neither known nor reserved.
func unknownVariable(name string, known []string) error {
	upper := strings.ToUpper(name)
	if strings.HasPrefix(upper, environmentPrefix+"COMET_") {
		return fmt.Errorf("%s: CometBFT's settings are not read from the environment; set them in the [comet] table", name)
	}
	nearest := Nearest(upper, known)
	const slip = 2
	if !ofKnownSection(upper) && (nearest == "" || edits(upper, nearest) > slip) {
		return nil
	}
	return fmt.Errorf("%s: no such setting%s", name, question(nearest))
}

func ofKnownSection(variable string) bool {
	for _, s := range sections {
		if s.name != "" && strings.HasPrefix(variable, environmentPrefix+strings.ToUpper(s.name)+"_") {
			return true
		}
	}
	return false
}

// question asks whether the nearest key was meant, if there is one.
func question(nearest string) string {
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", nearest)
}
