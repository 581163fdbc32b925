package loadtest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// asker makes up what a reader asks for, out of what there is.
type asker struct {
	*longChain
	*rand.Rand
	txHashes []crypto.Hash // of some
}

func chainHeight(h uint64) ledger.Height { return ledger.Height(h) }

func (a *asker) account() string {
	if a.IntN(4) == 0 {
		return a.who[a.IntN(10)].String() // a busy one
	}
	return a.who[a.IntN(accounts)].String()
}
func (a *asker) height() uint64 { return uint64(a.IntN(int(a.top) + 1)) }
func (a *asker) asset() string  { return a.symbols[a.IntN(len(a.symbols))] }
func (a *asker) tx() string     { return a.txHashes[a.IntN(len(a.txHashes))].String() }
func (a *asker) member() string { return ledgertest.Address(fmt.Sprint("m", a.IntN(4))).String() }
func (a *asker) hold() string   { return holdOf(50 * a.IntN(a.txs/50)).String() }
func (a *asker) moment() uint64 { return uint64(a.time(ledger.Height(a.height()))) }
func (a *asker) validator() string {
	list := a.base.At(preface).LastCommit
	v := list[a.IntN(len(list))].Validator
	return "0x" + hex.EncodeToString(v[:])
}

// one picks one of several questions.
func (a *asker) one(list ...string) string { return list[a.IntN(len(list))] }

func (a *asker) period() string {
	from := a.moment()
	return fmt.Sprintf("from=%d&to=%d", from, from+uint64(a.IntN(40_000)))
}

func (a *asker) text() string {
	h := a.tx()
	word := memoWords[a.IntN(len(memoWords))]
	return url.QueryEscape(a.one(fmt.Sprint(a.height()), h, h[:10], a.account(), a.account()[:9], a.asset(), "gol", "bnod", "Bond regulated", "member",
		fmt.Sprintf("INV-%d", a.IntN(a.txs)), "rent", "inv", word, word+" "+memoWords[a.IntN(len(memoWords))], word+" "+fmt.Sprint(a.IntN(a.txs)), "z", "nothing like it", "1"))
}

func (a *asker) orders() string { return a.one("", "order=asc", "limit=100") }
func (a *asker) lists() string  { return a.one(a.orders(), a.period()) }

const apiPrefix = "/api/v1"

// operations are how the API's operations are asked, by their paths in its document.
var operations = map[string]func(*asker) string{
	"/blocks": func(a *asker) string {
		return "/blocks?" + a.one(a.lists(), "nonEmpty=true", "proposer="+a.validator())
	},
	"/blocks/{block}": func(a *asker) string {
		return "/blocks/" + a.one(fmt.Sprint(a.height()), "latest", a.hash(ledger.Height(1+a.IntN(int(a.top)))).String())
	},
	"/blocks/{height}/transactions": func(a *asker) string { return fmt.Sprintf("/blocks/%d/transactions", a.height()) },
	"/blocks/{height}/events": func(a *asker) string {
		return fmt.Sprintf("/blocks/%s/events", a.one(fmt.Sprint(a.height()), "0"))
	},
	"/transactions": func(a *asker) string {
		return "/transactions?" + a.one(a.lists(), "account="+a.account(), "sender="+a.account(), "kind="+a.one("transfer", "createHold", "propose", "issue"), "status=refused", "status=applied",
			"code=1", "account="+a.account()+"&kind=createHold", "kind=transfer&status=refused", "account="+a.account()+"&"+a.period(), fmt.Sprintf("height=%d", a.height()))
	},
	"/transactions/{hash}":         func(a *asker) string { return "/transactions/" + a.tx() },
	"/transactions/{hash}/events":  func(a *asker) string { return "/transactions/" + a.tx() + "/events" },
	"/transactions/{hash}/receipt": func(a *asker) string { return "/transactions/" + a.tx() + "/receipt" },
	"/members":                     func(*asker) string { return "/members" },
	"/members/{member}":            func(a *asker) string { return "/members/" + a.member() },
	"/members/{member}/history":    func(a *asker) string { return "/members/" + a.member() + "/history" },
	"/validators":                  func(*asker) string { return "/validators" },
	"/validators/{validator}/votes": func(a *asker) string {
		return "/validators/" + a.validator() + "/votes?" + a.one("blocks=1000", "blocks=100", "")
	},
	"/validators/{validator}/power": func(a *asker) string { return "/validators/" + a.validator() + "/power" },
	"/proposals": func(a *asker) string {
		return "/proposals?" + a.one("", "status=open", "status=executed", "proposer="+a.member())
	},
	"/proposals/{proposal}": func(a *asker) string { return fmt.Sprintf("/proposals/%d", 1+a.IntN(4)) },
	"/parameters":           func(a *asker) string { return "/parameters?" + a.one("", fmt.Sprintf("height=%d", a.height())) },
	"/assets":               func(a *asker) string { return "/assets?" + a.one("", "limit=5", "status=active") },
	"/assets/{asset}":       func(a *asker) string { return "/assets/" + a.asset() },
	"/assets/{asset}/events": func(a *asker) string {
		return "/assets/" + a.asset() + "/events?" + a.one("", "order=asc")
	},
	"/assets/{asset}/movements": func(a *asker) string {
		return "/assets/" + a.asset() + "/movements?" + a.orders()
	},
	"/assets/{asset}/holders": func(a *asker) string { return "/assets/" + a.asset() + "/holders?" + a.one("", "limit=100") },
	"/assets/{asset}/supply": func(a *asker) string {
		return "/assets/" + a.asset() + "/supply?" + a.one("", a.period(), "points=400")
	},
	"/holds": func(a *asker) string {
		return "/holds?" + a.one("", "order=asc", "account="+a.account(), "asset="+a.asset(), "status=open", "status=released", "account="+a.account()+"&status=open", "asset="+a.asset()+"&status=expired")
	},
	"/holds/{hold}": func(a *asker) string { return "/holds/" + a.hold() },
	"/movements": func(a *asker) string {
		return "/movements?" + a.one(a.lists(), "account="+a.account(), "account="+a.account()+"&asset="+a.asset(), "asset="+a.asset(), fmt.Sprintf("reference=INV-%d", a.IntN(a.txs)), "reference=rent",
			"type=issue", "type=clawback", "account="+a.account()+"&type=issue", "account="+a.account()+"&reference=rent", "account="+a.account()+"&"+a.period(), "asset="+a.asset()+"&reference=rent")
	},
	"/accounts": func(a *asker) string {
		return "/accounts?" + a.one("", "limit=100", "member="+a.member(), "status=active", "status=frozen", "status=closed&member="+a.member())
	},
	"/accounts/{account}": func(a *asker) string {
		return "/accounts/" + a.account() + "?" + a.one("", fmt.Sprintf("height=%d", a.height()), fmt.Sprintf("time=%d", a.moment()))
	},
	"/accounts/{account}/history": func(a *asker) string { return "/accounts/" + a.account() + "/history" },
	"/accounts/{account}/balances": func(a *asker) string {
		return "/accounts/" + a.account() + "/balances?" + a.one("", fmt.Sprintf("height=%d", a.height()), fmt.Sprintf("time=%d", a.moment()))
	},
	"/accounts/{account}/transactions": func(a *asker) string { return "/accounts/" + a.account() + "/transactions?" + a.orders() },
	"/accounts/{account}/holds":        func(a *asker) string { return "/accounts/" + a.account() + "/holds?" + a.one("", "status=open") },
	"/accounts/{account}/statement": func(a *asker) string {
		return "/accounts/" + a.account() + "/statement?asset=" + a.asset() + "&" + a.one("", a.period(), "order=asc")
	},
	"/accounts/{account}/statement.csv": func(a *asker) string {
		from := a.moment()
		return fmt.Sprintf("/accounts/%s/statement.csv?asset=%s&from=%d&to=%d", a.account(), a.asset(), from, from+3*apart)
	},
	"/accounts/{account}/series": func(a *asker) string {
		return "/accounts/" + a.account() + "/series?asset=" + a.asset() + "&" + a.one("", "points=30", "points=400", a.period())
	},
	"/status": func(*asker) string { return "/status" },
	"/totals": func(*asker) string { return "/totals" },
	"/statistics": func(a *asker) string {
		return "/statistics?period=" + a.one("minute", "hour", "day") + "&" + a.one("", a.period())
	},
	"/differences": func(*asker) string {
		return "/differences"
	},
	"/search": func(a *asker) string { return "/search?q=" + a.text() },
}

// pages are how the pages are asked, by a name.
var pages = map[string]func(*asker) string{
	"/": func(*asker) string { return "/" },
	"/blocks": func(a *asker) string {
		return "/blocks?" + a.one("", "nonempty=1", "proposer="+a.validator(), a.period())
	},
	"/blocks/{}": func(a *asker) string {
		return "/blocks/" + a.one(fmt.Sprint(a.height()), "0", "latest", a.hash(ledger.Height(1+a.IntN(int(a.top)))).String())
	},
	"/transactions": func(a *asker) string {
		return "/transactions?" + a.one("", "kind=transfer", "kind=createHold", "result=refused", "result=applied", "account="+a.account(), "reference=RENT", a.period(), "kind=propose&result=refused")
	},
	"/transactions/{}": func(a *asker) string { return "/transactions/" + a.tx() },
	"/accounts":        func(a *asker) string { return "/accounts?" + a.one("", "member="+a.member(), "status=frozen") },
	"/accounts/{}": func(a *asker) string {
		return "/accounts/" + a.account() + a.one("", "", "?asset="+a.assets[0].String())
	},
	"/assets":        func(*asker) string { return "/assets" },
	"/assets/{}":     func(a *asker) string { return "/assets/" + a.asset() },
	"/holds":         func(a *asker) string { return "/holds?" + a.one("", "status=open", "status=expired") },
	"/holds/{}":      func(a *asker) string { return "/holds/" + a.hold() },
	"/members":       func(*asker) string { return "/members" },
	"/members/{}":    func(a *asker) string { return "/members/" + a.member() },
	"/validators":    func(*asker) string { return "/validators" },
	"/validators/{}": func(a *asker) string { return "/validators/" + a.validator() },
	"/proposals":     func(a *asker) string { return "/proposals?" + a.one("", "status=open") },
	"/proposals/{}":  func(a *asker) string { return fmt.Sprintf("/proposals/%d", 1+a.IntN(4)) },
	"/search":        func(a *asker) string { return "/search?q=" + a.text() },
	"/network":       func(*asker) string { return "/network" },
	"/api":           func(*asker) string { return "/api" },
	"/nothing":       func(*asker) string { return "/nothing" },
}

// route is one thing that is asked for.
type route struct {
	name string
	ask  func(*asker) string
}

func routes() (list []route) {
	for name, ask := range operations {
		list = append(list, route{apiPrefix + name, func(a *asker) string { return apiPrefix + ask(a) }})
	}
	for name, ask := range pages {
		list = append(list, route{name, ask})
	}
	slices.SortFunc(list, func(a, b route) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return list
}
