package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/rpc/wire"
)

// Client calls one validator's JSON-RPC by plain HTTP, and hands out results
// as the very bytes that came. It may be used from many goroutines.
type Client struct {
	url  string
	http *http.Client
}

func newClient(address string) *Client {
	return &Client{"http://" + address, &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// RPCError is an answer that says no.
type RPCError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// Error implements error.
func (e *RPCError) Error() string { return fmt.Sprintf("%s (%d) %s", e.Message, e.Code, e.Data) }

// Question is a call: a method and its parameters.
type Question struct {
	Method string
	Params []any
}

// Ask makes a question.
func Ask(method string, params ...any) Question { return Question{method, params} }

// String is the question as text, the same for the same question.
func (q Question) String() string {
	params, err := json.Marshal(q.Params)
	if err != nil {
		panic("network: parameters that are no JSON: " + err.Error())
	}
	return q.Method + string(params)
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type response struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *RPCError       `json:"error"`
}

// Call asks one question. The error is an *RPCError where the validator says
// no, and another where it cannot be asked.
func (c *Client) Call(ctx context.Context, q Question) (json.RawMessage, error) {
	var answer response
	if err := c.post(ctx, newRequest(0, q), &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", q.Method, err)
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("%s: %w", q.Method, answer.Error)
	}
	return answer.Result, nil
}

func newRequest(id int, q Question) request {
	params := q.Params
	if params == nil {
		params = []any{}
	}
	return request{"2.0", id, q.Method, params}
}

// batch is how many questions are asked at once.
const batch = 100

// CallAll asks many questions and returns the results in their order. The
// first that is answered with an error ends it.
func (c *Client) CallAll(ctx context.Context, questions []Question) ([]json.RawMessage, error) {
	results := make([]json.RawMessage, len(questions))
	for begin := 0; begin < len(questions); begin += batch {
		part := questions[begin:min(begin+batch, len(questions))]
		requests := make([]request, len(part))
		for i, q := range part {
			requests[i] = newRequest(begin+i, q)
		}
		var answers []response
		if err := c.post(ctx, requests, &answers); err != nil {
			return nil, err
		}
		if len(answers) != len(part) {
			return nil, fmt.Errorf("%d answers to %d questions", len(answers), len(part))
		}
		for _, a := range answers {
			if a.ID < begin || a.ID >= begin+len(part) {
				return nil, fmt.Errorf("an answer to question %d, which was not asked", a.ID)
			}
			if a.Error != nil {
				return nil, fmt.Errorf("%s: %w", questions[a.ID], a.Error)
			}
			results[a.ID] = a.Result
		}
	}
	return results, nil
}

func (c *Client) post(ctx context.Context, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %s: %.200s", res.Status, got)
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return fmt.Errorf("%w in %.200s", err, got)
	}
	return nil
}

// Read asks a question and decodes the answer into result.
func (c *Client) Read(ctx context.Context, result any, q Question) error {
	raw, err := c.Call(ctx, q)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fmt.Errorf("%s: %w in %.200s", q.Method, err, raw)
	}
	return nil
}

// Status asks for ledger_status.
func (c *Client) Status(ctx context.Context) (s wire.Status, err error) {
	return s, c.Read(ctx, &s, Ask("ledger_status"))
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }
