package rpc

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/pace"
)

// Access says who may call a server, what, and how often. The zero value lets
// everybody call everything, without a key and without a limit, but no web page.
type Access struct {
	// AllowedOrigins are the web pages (scheme://host[:port], or "*" for
	// every one) whose scripts may call the node from a browser. Programs, and
	// wallets' own extensions, send no Origin or are not bound by it.
	AllowedOrigins []string
	// KeysRequired says that nobody may call but with one of Keys.
	KeysRequired bool
	Keys         []apikey.Key
	// Rate is how many calls a second one address may make, and Burst how many at
	// once; 0 for Rate is no limit, and for Burst as many as Rate. The callers with
	// a key that has a rate are bound by that alone, those with the scope admin by
	// neither. Of IPv6, a /64 is one address.
	Rate, Burst int
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
}

// access is an Access made ready to be asked. It does not change, but for what
// has been spent of its limits.
type access struct {
	origins   origins
	keys      map[apikey.Hash]*holder // nil: nobody is asked for a key
	addresses *pace.Limits            // nil: no limit
	proxies   []netip.Prefix
	now       func() time.Time
}

// holder is who has a key.
type holder struct {
	apikey.Key
	limit *rate.Limiter // nil: the calls count for their address
}

// SetAccess changes who may call, from the next call on. A WebSocket whose peer
// has lost any right that it had when it was opened is closed (status 1008). What
// has been spent of a limit that stays as it is stays spent.
func (s *Server) SetAccess(a Access) {
	before := s.access.Load()
	after := &access{origins: newOrigins(a.AllowedOrigins), proxies: a.TrustedProxies, now: s.now}
	if a.KeysRequired {
		after.keys = make(map[apikey.Hash]*holder, len(a.Keys))
		for _, k := range a.Keys {
			after.keys[k.Hash] = newHolder(k, before)
		}
	}
	if a.Rate > 0 {
		after.addresses = pace.NewLimits(a.Rate, a.Burst)
		if before != nil && before.addresses.Same(after.addresses) {
			after.addresses = before.addresses
		}
	}
	s.access.Store(after)
	for _, c := range s.connections() {
		if !c.entitled(after) {
			s.workers.run(c.dismiss)
		}
	}
}

func newHolder(k apikey.Key, before *access) *holder {
	h := &holder{Key: k}
	if k.Rate == 0 {
		return h
	}
	if before != nil {
		if was := before.keys[k.Hash]; was != nil && was.limit != nil && was.Rate == k.Rate && was.Burst == k.Burst {
			h.limit = was.limit
			return h
		}
	}
	h.limit = pace.NewLimiter(k.Rate, k.Burst)
	return h
}

// identity is what a request says of who sent it.
type identity struct {
	hash    apikey.Hash // of the key; zero for none
	given   bool        // there is a key
	address netip.Addr  // that limits count for; zero where it is not known
	origin  string      // of the web page; empty for none
}

// caller is who makes a call, and what it may.
type caller struct {
	scopes  apikey.Scopes
	limit   *rate.Limiter // the key's own; or nil
	shared  *pace.Limits  // those of address, where limit is nil; or nil for none
	address netip.Addr
	now     func() time.Time
}

// identify reads who sends a request.
func (a *access) identify(r *http.Request) identity {
	id := identity{address: pace.AddressOf(r, a.proxies), origin: r.Header.Get("Origin")}
	if secret := secretOf(r); secret != "" {
		id.hash, id.given = apikey.HashOf(secret), true
	}
	return id
}

// admit finds what a sender may do now. The error is for a key that is missing
// or not known.
//
// Looking a hash up takes a time that may depend on the hash, but not on the
// secret in a way that anybody can steer: whoever tries secrets learns, at best,
// something about the hash of what they sent.
func (a *access) admit(id identity) (caller, *callError) {
	who := caller{scopes: apikey.All, shared: a.addresses, address: id.address, now: a.now}
	if a.keys == nil {
		return who, nil
	}
	if !id.given {
		return caller{}, kindNoKey.plain()
	}
	h := a.keys[id.hash]
	if h == nil {
		return caller{}, kindUnknownKey.plain()
	}
	who.scopes, who.limit = h.Scopes, h.limit
	if h.limit != nil || h.Scopes.Has(apikey.Admin) {
		who.shared = nil
	}
	if h.Scopes.Has(apikey.Admin) {
		who.limit = nil
	}
	return who, nil
}

// may refuses a method that the caller has not the scope for.
func (c caller) may(m *method) *callError {
	if c.scopes.Has(m.needs()) {
		return nil
	}
	return kindScope.with("%s needs an API key with the scope %s; this one has %s", m.name, m.needs(), c.scopes)
}

// charge counts one call, and refuses it when there were too many.
func (c caller) charge() *callError {
	if c.limit == nil && c.shared == nil {
		return nil
	}
	now := c.now()
	limit, of := c.limit, "with this key"
	if limit == nil {
		limit, of = c.shared.Of(c.address), "from this address"
	}
	wait := pace.Take(limit, now)
	if wait == 0 {
		return nil
	}
	e := kindRate.with("more calls came %s than the %g a second, %d at once, that may", of, float64(limit.Limit()), limit.Burst())
	e.data.RetryAfterMs = uint64((wait + time.Millisecond - 1) / time.Millisecond)
	return e
}

// refusal is refusal for a message that is no call at all. It counts as one, or
// else whoever is above the limit would send those.
func (c caller) refusal(e *callError) screened {
	if late := c.charge(); late != nil {
		e = late
	}
	return refusal(e)
}

// refuseLate answers a call that came above its caller's limit, without the way
// through go-ethereum's server: to refuse must cost less than to answer.
func (s *Server) refuseLate(c call) []byte {
	s.metrics.observe("invalid", 0, c.late)
	out := append([]byte(`{"jsonrpc":"2.0","id":`), c.id...)
	return append(append(append(out, `,"error":`...), errorJSON(c.late)...), '}')
}

// refuseKey answers a request that has no key that is known: status 401, which no
// client takes for a reason to try again.
func (s *Server) refuseKey(w http.ResponseWriter, r *http.Request, problem *callError) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	// The http.Server reads the rest of a body that nobody has read, and that must
	// end. A writer without deadlines is a test's.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.options.ReadTimeout))
	s.refuseHTTP(w, r, http.StatusUnauthorized, problem)
}

// keyPath begins the path of a client that cannot send headers, such as a wallet
// that takes nothing but a URL. The key is the rest of it.
const keyPath = "/key/"

// served reports whether JSON-RPC is served on a path.
func served(path string) bool {
	key, is := strings.CutPrefix(path, keyPath)
	return path == "/" || path == "" || is && key != "" && !strings.Contains(key, "/")
}

// secretOf finds the key of a request: in the Authorization header, or else in
// the path; empty for none. What cannot be a key is as good as one not known.
func secretOf(r *http.Request) string {
	secret, _ := strings.CutPrefix(r.URL.Path, keyPath)
	if !strings.HasPrefix(r.URL.Path, keyPath) {
		secret = ""
	}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != "" {
		secret = strings.TrimSpace(token)
	}
	return secret[:min(len(secret), apikey.MaxSecretBytes)]
}
