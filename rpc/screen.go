package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// screened is a message fit for go-ethereum's dispatcher.
type screened struct {
	message []byte
	batch   bool
	silent  bool   // a notification: there will be no response
	direct  bool   // a single call in order that the dispatcher need not see
	call    call   // of a single call that is direct
	answer  []byte // of a single call that was refused for its caller's limit; else nil
}

// call is the envelope of one call. A nil field is absent.
type call struct {
	id, version, method, params json.RawMessage
	name                        string     // the method, decoded
	late                        *callError // the caller is above its limit
}

var nullID = json.RawMessage("null")

// screen judges a message's envelope and what its caller may, and makes it fit to
// be dispatched. What is wrong with it becomes a call that answers with the error.
// Cost: three passes over raw.
func (s *Server) screen(raw []byte, who caller) screened {
	if len(bytes.TrimSpace(raw)) == 0 {
		return who.refusal(kindParse.with("the message is empty"))
	}
	if !utf8.Valid(raw) {
		return who.refusal(kindParse.with("the message is not valid UTF-8"))
	}
	if !json.Valid(raw) {
		var whole json.RawMessage
		return who.refusal(kindParse.with("the message is not valid JSON: %s", jsonProblem(json.Unmarshal(raw, &whole))))
	}
	if bytes.TrimLeft(raw, " \t\r\n")[0] == '[' {
		return s.screenBatch(raw, who)
	}
	message, c, ok := screenCall(bytes.TrimSpace(raw), nil, who)
	if c.late != nil && c.id != nil {
		return screened{answer: s.refuseLate(c)}
	}
	return screened{message: message, silent: c.id == nil, direct: ok && c.direct(), call: c}
}

func (s *Server) screenBatch(raw []byte, who caller) screened {
	elements := slices.Collect(elements(raw))
	if len(elements) == 0 {
		return who.refusal(kindRequest.with("the batch is empty"))
	}
	if len(elements) > s.options.MaxBatch {
		return who.refusal(kindBatchTooLarge.with("the batch has %d calls; this node takes at most %d", len(elements), s.options.MaxBatch))
	}
	waits, changed := 0, false
	for i, element := range elements {
		message, _, _ := screenCall(element, &waits, who)
		changed = changed || len(message) != len(element) || &message[0] != &element[0]
		elements[i] = message
	}
	if changed {
		raw = append(append([]byte{'['}, bytes.Join(elements, []byte{','})...), ']')
	}
	return screened{message: raw, batch: true}
}

// screenCall returns raw itself where it is in order, which ok says. waits
// counts the waiting calls of the batch so far; it is nil outside one.
func screenCall(raw []byte, waits *int, who caller) (message []byte, c call, ok bool) {
	c, problem := parseCall(raw)
	malformed := problem != nil
	if c.late = who.charge(); c.late != nil {
		problem = c.late
	}
	if problem == nil {
		problem = c.check(waits, who)
	} else if malformed && c.id == nil {
		c.id = nullID // it cannot be known for a notification
	}
	switch {
	case problem != nil:
		return refuse(c.id, problem), c, false
	case c.name == discoverAlias:
		return callMessage(c.id, discoverMethod, c.params), c, false
	}
	return raw, c, true
}

// parseCall takes the envelope apart. On error as much is set as is usable.
func parseCall(raw []byte) (call, *callError) {
	var c call
	if raw[0] != '{' {
		return c, kindRequest.with("a call is a JSON object, not %s", jsonType(raw))
	}
	for m := range members(raw) {
		at := c.member(m.name())
		if at == nil {
			continue
		}
		if *at != nil {
			return call{}, kindRequest.with("the call has the member %q twice", m.name())
		}
		*at = m.value
	}
	return c.checked()
}

// member finds the field of a key; nil for members that mean nothing here.
func (c *call) member(key string) *json.RawMessage {
	switch key {
	case "id":
		return &c.id
	case "jsonrpc":
		return &c.version
	case "method":
		return &c.method
	case "params":
		return &c.params
	}
	return nil
}

// checked judges version, id and method.
func (c call) checked() (call, *callError) {
	if c.id != nil && (c.id[0] == '{' || c.id[0] == '[' || c.id[0] == 't' || c.id[0] == 'f') {
		c.id = nil
		return c, kindRequest.with("id must be a string, a number or null")
	}
	if string(c.version) != `"2.0"` {
		return c, kindRequest.with(`the member "jsonrpc" must be "2.0"`)
	}
	if c.method == nil {
		return c, kindRequest.with(`the member "method" is missing`)
	}
	if err := json.Unmarshal(c.method, &c.name); err != nil || c.method[0] != '"' || c.name == "" {
		return c, kindRequest.with(`the member "method" must be a method's name`)
	}
	return c, nil
}

// check judges the method, whether the caller may, and the number of parameters.
func (c call) check(waits *int, who caller) *callError {
	name := c.name
	if name == discoverAlias {
		name = discoverMethod
	}
	m := methodNamed(name)
	if m == nil {
		return kindMethod.with("there is no method %s", shorten(c.name))
	}
	if problem := who.may(m); problem != nil {
		return problem
	}
	if m.single && waits != nil {
		return kindWebSocketOnly.with("%s is in no batch: send it as a call of its own, over a WebSocket", name)
	}
	if m.waits && waits != nil {
		if *waits++; *waits > maxBatchWaits {
			return kindBatchWaits.with("the calls of a batch run one after another, so at most %d of them may wait; this is waiting call %d", maxBatchWaits, *waits)
		}
	}
	if c.params == nil || string(c.params) == "null" {
		return nil
	}
	if c.params[0] != '[' {
		return kindParams.with("%s: params must be an array, in the order %s; it is %s", name, m.signature(), jsonType(c.params))
	}
	given := 0
	for range elements(c.params) {
		given++
	}
	if given > len(m.params) {
		return kindParams.with("%s: %d parameters given, at most %d expected: %s", name, given, len(m.params), m.signature())
	}
	return nil
}

// refusal is a message whose answer is e, with id null.
func refusal(e *callError) screened { return screened{message: refuse(nullID, e)} }

// refuse is the call that answers with e.
func refuse(id json.RawMessage, e *callError) json.RawMessage {
	body, err := json.Marshal([]refusedCall{{e.code, e.message, e.data}})
	if err != nil {
		panic("rpc: an error does not marshal: " + err.Error())
	}
	return callMessage(id, refuseMethod, body)
}

func callMessage(id json.RawMessage, method string, params json.RawMessage) json.RawMessage {
	out := []byte(`{"jsonrpc":"2.0"`)
	if id != nil {
		out = append(append(out, `,"id":`...), id...)
	}
	out = fmt.Appendf(out, `,"method":%q`, method)
	if params != nil {
		out = append(append(out, `,"params":`...), params...)
	}
	return append(out, '}')
}

// shorten quotes text from outside for a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}

// jsonType names the type of a valid JSON value for a person.
func jsonType(raw []byte) string {
	switch bytes.TrimLeft(raw, " \t\r\n")[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
