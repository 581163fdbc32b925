package network

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// serve answers every request with what respond says to its body.
func serve(t *testing.T, respond func(body string) (status int, answer string)) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status, answer := respond(string(body))
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return newClient(strings.TrimPrefix(server.URL, "http://"))
}

func TestCallKeepsBytes(t *testing.T) {
	client := serve(t, func(body string) (int, string) {
		const want = `{"jsonrpc":"2.0","id":0,"method":"ledger_getBlock","params":[7]}`
		if body != want {
			t.Errorf("sent %s, want %s", body, want)
		}
		return 200, `{"jsonrpc":"2.0","id":0,"result":{ "b":1,  "a":[2] }}`
	})
	got, err := client.Call(context.Background(), Ask("ledger_getBlock", 7))
	if err != nil || string(got) != `{ "b":1,  "a":[2] }` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCallRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		code   int // of the RPC error, 0 for another error
	}{
		"refusal":        {200, `{"id":0,"error":{"code":-32001,"message":"no"}}`, -32001},
		"status":         {500, `{"id":0,"result":1}`, 0},
		"no JSON":        {200, `<html>`, 0},
		"cut off":        {200, `{"id":0,"result":`, 0},
		"nothing at all": {200, ``, 0},
	} {
		client := serve(t, func(string) (int, string) { return c.status, c.answer })
		_, err := client.Call(context.Background(), Ask("x"))
		answer, is := isRPCError(err)
		if err == nil || is != (c.code != 0) || (is && answer.Code != c.code) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCallAllRefuses(t *testing.T) {
	for name, answer := range map[string]string{
		"too few":       `[{"id":0,"result":1}]`,
		"too many":      `[{"id":0,"result":1},{"id":1,"result":1},{"id":1,"result":1}]`,
		"not asked":     `[{"id":0,"result":1},{"id":2,"result":1}]`,
		"negative":      `[{"id":0,"result":1},{"id":-1,"result":1}]`,
		"one refused":   `[{"id":0,"result":1},{"id":1,"error":{"code":-32001,"message":"no"}}]`,
		"not a list":    `{"id":0,"result":1}`,
		"single number": `7`,
	} {
		client := serve(t, func(string) (int, string) { return 200, answer })
		if got, err := client.CallAll(context.Background(), []Question{Ask("x"), Ask("y")}); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Answers come in any order, and more questions than fit in one batch are
// asked in several.
func TestCallAll(t *testing.T) {
	batches := 0
	client := serve(t, func(body string) (int, string) {
		batches++
		var requests []request
		if err := json.Unmarshal([]byte(body), &requests); err != nil || len(requests) > batch {
			t.Errorf("a batch of %d: %v", len(requests), err)
		}
		answers := make([]response, len(requests))
		for i, r := range requests {
			result, err := json.Marshal(r.Params)
			if err != nil {
				t.Error(err)
			}
			answers[len(requests)-1-i] = response{ID: r.ID, Result: result}
		}
		out, err := json.Marshal(answers)
		if err != nil {
			t.Error(err)
		}
		return 200, string(out)
	})
	questions := make([]Question, 2*batch+1)
	for i := range questions {
		questions[i] = Ask("echo", i)
	}
	results, err := client.CallAll(context.Background(), questions)
	if err != nil || batches != 3 {
		t.Fatalf("%d batches, %v", batches, err)
	}
	for i, got := range results {
		if want, _ := json.Marshal([]int{i}); string(got) != string(want) {
			t.Errorf("answer %d is %s", i, got)
		}
	}
}

// loadOf is a load on a network of one validator that is a fake.
func loadOf(t *testing.T, respond func(string) (int, string)) *Load {
	t.Helper()
	n := &Network{t: t, validators: []*validator{{client: serve(t, respond)}}}
	return &Load{n: n, answers: map[string]answer{}}
}

func TestKeepFindsChangedAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		second string
		bad    bool
	}{
		"the same":      {`{"a":1}`, false},
		"another":       {`{"a":2}`, true},
		"other spacing": {`{"a": 1}`, true},
		"nothing":       {`null`, true},
	} {
		load := loadOf(t, nil)
		load.keep(0, Ask("m", 1), json.RawMessage(`{"a":1}`))
		load.keep(0, Ask("m", 2), json.RawMessage(`{"a":9}`)) // another question
		load.keep(0, Ask("m", 1), json.RawMessage(c.second))
		if (load.problem != nil) != c.bad {
			t.Errorf("%s: problem %v", name, load.problem)
		}
		if kept, _ := load.kept(); len(kept) != 2 || string(kept[0].result) != `{"a":1}` {
			t.Errorf("%s: kept %d answers", name, len(kept))
		}
	}
}

func TestCompareFindsChangedAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer       string
		wrong, fails bool
	}{
		"the same":     {`[{"id":0,"result":{"a":1}}]`, false, false},
		"another":      {`[{"id":0,"result":{"a":2}}]`, true, true},
		"gone":         {`[{"id":0,"result":null}]`, true, true},
		"not answered": {`[{"id":0,"error":{"code":-32001,"message":"no"}}]`, false, true},
	} {
		load := loadOf(t, func(string) (int, string) { return 200, c.answer })
		load.keep(0, Ask("m", 1), json.RawMessage(`{"a":1}`))
		kept, _ := load.kept()
		err := load.compare(context.Background(), 0, kept)
		var wrong *WrongAnswerError
		if (err != nil) != c.fails || errors.As(err, &wrong) != c.wrong {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What a validator may answer to a transfer without being wrong.
func TestFailedJudges(t *testing.T) {
	for name, c := range map[string]struct {
		err error
		bad bool
	}{
		"killed":      {errors.New("connection refused"), false},
		"timeout":     {&RPCError{Code: -32002}, false},
		"rejected":    {&RPCError{Code: -32003}, true},
		"not found":   {&RPCError{Code: -32001}, true},
		"out of room": {&RPCError{Code: -32603}, true},
	} {
		load := loadOf(t, nil)
		load.failed(0, c.err)
		if (load.problem != nil) != c.bad || load.lastFailure() == "" {
			t.Errorf("%s: problem %v", name, load.problem)
		}
	}
}

func TestRounds(t *testing.T) {
	if testing.Short() {
		if got := Rounds(t, 3, 5, 100); got != 3 {
			t.Errorf("short: %d", got)
		}
		return
	}
	for percent, want := range map[string]int{"": 5, "1": 5, "10": 10, "100": 100, "200": 200} {
		t.Setenv("CAMPAIGN_PERCENT", percent)
		if got := Rounds(t, 3, 5, 100); got != want {
			t.Errorf("at %q percent: %d, want %d", percent, got, want)
		}
	}
}

func TestRandomRepeats(t *testing.T) {
	t.Setenv("CAMPAIGN_SEED", "7")
	if a, b := Random(t).Uint64(), Random(t).Uint64(); a != b {
		t.Errorf("the same seed gave %d and %d", a, b)
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		count int
		want  string
	}{
		{"", 2, ""}, {"a", 2, "a"}, {"a\nb\n", 2, "a\nb"}, {"a\nb\nc\n", 2, "b\nc"}, {"a\n\nc\n\n", 1, "c"},
	} {
		if got := lastLines(c.text, c.count); got != c.want {
			t.Errorf("the last %d lines of %q are %q, want %q", c.count, c.text, got, c.want)
		}
	}
}
