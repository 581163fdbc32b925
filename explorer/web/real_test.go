package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/explorertest/realtest"
	"github.com/tallystick/tallystick/explorer/worldtest"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// realPaths are a page of every kind, by what is known of a world.
func realPaths(k worldtest.Known) map[string]string {
	return map[string]string{
		"home": "/", "blocks": "/blocks", "block": "/blocks/" + k["height"], "genesis": "/blocks/0", "latest": "/blocks/latest", "transactions": "/transactions",
		"transaction": "/transactions/" + k["hash"], "refused": "/transactions?result=refused", "accounts": "/accounts", "account": "/accounts/" + k["account"],
		"account of an asset": "/accounts/" + k["account"] + "?asset=" + k["asset"], "account then": "/accounts/" + k["account"] + "?at=2100-01-01&asset=" + k["asset"],
		"assets": "/assets", "asset": "/assets/" + k["asset"], "holds": "/holds", "hold": "/holds/" + k["hold"], "members": "/members", "member": "/members/" + k["member"],
		"validators": "/validators", "validator": "/validators/" + k["validator"], "proposals": "/proposals", "proposal": "/proposals/" + k["proposal"],
		"search": "/search?q=script", "search for a fault": "/search?q=what+is+at+fault", "network": "/network?period=minute", "api": "/api",
	}
}

// Every page of a real index is there, keeps to the policy, and shows what an enemy
// wrote into blocks as text that can be seen.
func TestPagesOfIndex(t *testing.T) {
	realtest.Each(t, func(t *testing.T, w realtest.Judged) {
		pages := newPages(w)
		paths := realPaths(w.Known)
		for _, h := range w.Hostile {
			paths["hostile "+h.String()] = "/transactions/" + h.String()
		}
		if w.Real { // amounts as great as they can be
			for _, name := range []string{"alice", "bob"} {
				paths["all that there can be of "+name] = "/accounts/" + ledgertest.Address(name).String() + "?asset=HUGE"
			}
			paths["all that there can be"] = "/assets/HUGE"
		}
		seen := 0
		for name, path := range paths {
			answer := get(pages, path)
			page := answer.Body.String()
			if answer.Code != http.StatusOK || len(page) > maxPage {
				t.Errorf("%s: %d, %d bytes: %.300s", name, answer.Code, len(page), page)
				continue
			}
			judge(t, name, page)
			if strings.Contains(page, "NaN") || strings.Contains(page, "Inf\"") || strings.Contains(page, "+Inf") || strings.Contains(page, "%!") {
				t.Errorf("%s: something could not be written", name)
			}
			if strings.HasPrefix(name, "all that there can be") && !strings.Contains(page, "340,282,366,920,938,463,463.374607431768211455") {
				t.Errorf("%s: the greatest amount is not there", name)
			}
			if bare.MatchString(page) || strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") || strings.Contains(page, "href=\"javascript:") {
				t.Errorf("%s: what an enemy wrote stands there as it was written", name)
			}
			if strings.Contains(page, "&lt;script&gt;alert(1)") || strings.Contains(page, "[U&#43;202E]gnp.exe") || strings.Contains(page, "&lt;img src=x") {
				seen++
			}
		}
		if least := map[bool]int{true: 20, false: 3}[w.Real]; seen < least {
			t.Errorf("hostile texts stand on %d pages only", seen)
		}
	})
}

// Before anything is indexed every page is there, or says that what it shows is not.
func TestPagesOfNothing(t *testing.T) {
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		pages := newPages(realtest.Empty(t, d))
		for name, path := range realPaths(worldtest.New(1).Known()) {
			w := get(pages, path)
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
			}
			judge(t, name, w.Body.String())
		}
		if w := get(pages, "/"); w.Code != http.StatusOK {
			t.Errorf("home: %d", w.Code)
		}
	})
}
