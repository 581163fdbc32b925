package rpc

import (
	"net/http"
	"strings"
)

// origins are the web pages whose scripts may call.
type origins struct {
	all     bool
	allowed map[string]bool // lower case
}

func newOrigins(list []string) origins {
	o := origins{allowed: map[string]bool{}}
	for _, origin := range list {
		o.all = o.all || origin == "*"
		o.allowed[strings.ToLower(strings.TrimSuffix(origin, "/"))] = true
	}
	return o
}

// admit refuses what a web page sends, unless its origin is allowed: whoever
// opens a strange page must not lend it their place in the network. Browser
// extensions (wallets) may call. Programs send no Origin.
func (o origins) admit(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	w.Header().Add("Vary", "Origin")
	if !o.allow(origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Allow-Methods", allowedMethods)
	w.Header().Set("Access-Control-Allow-Headers", "content-type, authorization")
	w.Header().Set("Access-Control-Max-Age", "600")
	return true
}

// allow reports whether scripts of origin may call; the empty one stands for none.
func (o origins) allow(origin string) bool {
	origin = strings.ToLower(origin)
	return origin == "" || o.all || o.allowed[origin] || isExtension(origin)
}

func isExtension(origin string) bool {
	scheme, _, _ := strings.Cut(origin, "://")
	return strings.HasSuffix(scheme, "-extension")
}
