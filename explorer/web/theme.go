package web

import (
	"net/http"
	"strings"
)

// themeCookie keeps the reader's choice. Scripts may change it.
const themeCookie = "theme"

// themeOf is the reader's choice: light, dark, or "" for what the system has.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// origins refuses forms that other sites send.
var origins = http.NewCrossOriginProtection()

// theme keeps the reader's choice, and goes back to the page.
func (s *site) theme(w http.ResponseWriter, r *http.Request) {
	const maxForm = 8 << 10
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	refuse := func(code int, reason string) {
		_, v := s.failure(r, &refusal{code, reason})
		s.write(w, r, code, v)
	}
	if err := origins.Check(r); err != nil {
		refuse(http.StatusForbidden, "The form came from another site.")
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "The form cannot be read.")
		return
	}
	choice := r.PostForm.Get("theme")
	if choice != "light" && choice != "dark" {
		refuse(http.StatusBadRequest, "A theme is light or dark.")
		return
	}
	const year = 365 * 24 * 3600
	http.SetCookie(w, &http.Cookie{Name: themeCookie, Value: choice, Path: "/", MaxAge: year, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, local(r.PostForm.Get("back")), http.StatusSeeOther)
}

// local is a path of this site, or its first page for anything else.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t\x00") {
		return "/"
	}
	return path
}
