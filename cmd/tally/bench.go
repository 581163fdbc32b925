package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/client/bench"
	"github.com/tallystick/tallystick/crypto/mnemonic"
)

// devnetMnemonic is what a devnet's accounts come from. Everybody knows it.
const devnetMnemonic = "test test test test test test test test test test test junk"

// benchFlags are the flags of bench that need work before they are a Config.
type benchFlags struct {
	access         accessFlags
	scheme         string
	mnemonic       string
	index          uint32
	from           string
	registrar      string // key, or empty
	registrarIndex uint32
	keys           keyFlags
}

var benchSchemes = map[string]bench.Scheme{"0": bench.SchemeTypedData, "1": bench.SchemeBodyHash, "eth": bench.SchemeEthereum}

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Load a network with transfers, and measure",
		Long: "Sign transfers, send them to the nodes, wait for every receipt, and report rates and latencies.\n" +
			"Latency runs from the time at which a transfer was due to the receipt. New accounts are funded\n" +
			"first, by default from the devnet's first account. With --rate the transfers are due at even\n" +
			"intervals, whatever the network does; with --inflight a fixed number is always under way.\n" +
			"With --json one line is printed at the end. The exit code is 9 if transactions were lost or\n" +
			"--verify found a difference.",
		Example: "  tally bench --rate 200 --duration 30s\n" +
			"  tally bench --rpc http://127.0.0.1:8545,http://127.0.0.1:8546 --inflight 500 --verify\n" +
			"  tally bench --rate 1000 --scheme 1 --legs 10 --json",
		Args: exactly(),
	}
	cfg, f := bench.Config{}, benchFlags{}
	c.Flags().StringSliceVar(&cfg.URLs, "rpc", []string{defaultRPC}, "the `URL`s of the nodes to drive, with commas between")
	c.Flags().Float64Var(&cfg.Rate, "rate", 0, "transactions a second; without it and --inflight, 100")
	c.Flags().IntVar(&cfg.Inflight, "inflight", 0, "transactions under way at a time, in place of --rate")
	c.Flags().IntVar(&cfg.Legs, "legs", 1, "transfers in each transaction")
	c.Flags().IntVar(&cfg.Accounts, "accounts", 200, "accounts that pay each other")
	c.Flags().DurationVar(&cfg.Duration, "duration", 10*time.Second, "how long to send")
	c.Flags().DurationVar(&cfg.Grace, "grace", 30*time.Second, "how long to wait for the last receipts")
	c.Flags().StringVar(&f.scheme, "scheme", "0", "signatures: `0` over typed data, 1 over the body hash, eth for Ethereum transactions")
	c.Flags().StringVar(&cfg.Asset, "asset", "", "`symbol` or address of what is moved; left out, the settlement asset")
	c.Flags().StringVar(&cfg.Seed, "seed", "", "`text` that the accounts follow from; left out, random")
	c.Flags().BoolVar(&cfg.Verify, "verify", false, "at the end compare every balance on every node with the receipts")
	c.Flags().StringVar(&f.mnemonic, "mnemonic", devnetMnemonic, "`words` of the account that pays; left out, the devnet's")
	c.Flags().Uint32Var(&f.index, "mnemonic-index", 0, "which account of the words pays")
	c.Flags().StringVar(&f.from, "keystore", "", "`key` that pays, by address or file, in place of the words")
	c.Flags().StringVar(&f.registrar, "registrar", "", "`key` of a registrar's admin account, by address or file, that admits\nthe accounts first")
	c.Flags().Uint32Var(&f.registrarIndex, "registrar-index", 0, "the same, as an account of the words")
	c.MarkFlagsMutuallyExclusive("registrar", "registrar-index")
	f.keys.add(c)
	f.access.add(c)
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		if err := f.complete(c, &cfg); err != nil {
			return err
		}
		screen := &benchScreen{out: c.ErrOrStderr(), legs: cfg.Legs, live: isTerminal(c.ErrOrStderr())}
		if !asJSON(c) {
			screen.table = c.OutOrStdout()
			fmt.Fprintf(screen.table, "seed %s\n%s", cfg.Seed, benchWords(&cfg))
		}
		var err error
		if cfg.Client, err = f.access.options(); err != nil {
			return err
		}
		cfg.Stage, cfg.Live = screen.stage, screen.row
		result, err := bench.Run(c.Context(), cfg)
		screen.clear()
		if result == nil {
			return err
		}
		if shown := showBench(c, result); shown != nil {
			return shown
		}
		return judgeBench(c, result, err)
	})
	return c
}

// benchWords says who signs for what, besides the accounts that the run makes. It
// is not asked about: whoever starts a measurement has said how much.
func benchWords(cfg *bench.Config) string {
	words := fmt.Sprintf("paid by %s, which funds %d accounts\n", cfg.Funder.Address(), cfg.Accounts)
	if cfg.Registrar != nil {
		words += fmt.Sprintf("admitted by %s\n", cfg.Registrar.Address())
	}
	return words
}

// complete turns the flags into a configuration that can be run.
func (f *benchFlags) complete(c *cobra.Command, cfg *bench.Config) error {
	switch {
	case cfg.Rate == 0 && c.Flags().Changed("rate"):
		return fails(exitUsage, errors.New("--rate 0: must be above 0"), "leave it out to use --inflight")
	case cfg.Rate == 0 && cfg.Inflight == 0 && !c.Flags().Changed("inflight"):
		cfg.Rate = 100
	}
	scheme, known := benchSchemes[f.scheme]
	if !known {
		return fails(exitUsage, fmt.Errorf("--scheme %q: want 0, 1 or eth", f.scheme), "")
	}
	cfg.Scheme = scheme
	if cfg.Seed == "" {
		var random [8]byte
		// It does not fail.
		_, _ = rand.Read(random[:])
		cfg.Seed = hex.EncodeToString(random[:])
	}
	var err error
	if cfg.Funder, err = f.signer(c, f.from, f.index); err != nil {
		return err
	}
	if f.registrar != "" || c.Flags().Changed("registrar-index") {
		if cfg.Registrar, err = f.signer(c, f.registrar, f.registrarIndex); err != nil {
			return err
		}
	}
	return fails(exitUsage, cfg.Check(), "run `tally bench --help`")
}

// signer signs with the key called name, or with that of an account of the words.
func (f *benchFlags) signer(c *cobra.Command, name string, index uint32) (client.Signer, error) {
	if name != "" {
		return f.keys.signer(c, name)
	}
	key, err := mnemonic.Derive(f.mnemonic, "", index)
	if err != nil {
		return nil, fails(exitUsage, err, "check --mnemonic and its index")
	}
	return client.NewLocalSigner(key), nil
}

// judgeBench turns what went wrong into an exit code.
func judgeBench(c *cobra.Command, r *bench.Result, err error) error {
	switch {
	case err != nil:
		return err
	case len(r.Differences) > 0:
		return fails(exitDiffers, fmt.Errorf("%d differences between the nodes and the receipts:\n%s",
			len(r.Differences), differenceTable(r.Differences)), "")
	case r.Lost > 0:
		return fails(exitDiffers, fmt.Errorf("%d transactions have no definite answer, %s among them", r.Lost, r.LostHashes[0]),
			"look at the nodes' logs, and with `tally tx get` whether they came later; or give more --grace")
	}
	return nil
}

func differenceTable(differences []bench.Difference) string {
	lines := make([]string, len(differences))
	for i, d := range differences {
		lines[i] = fmt.Sprintf("  %s: %s is %s, must be %s", d.Node, d.What, d.Have, d.Want)
	}
	return strings.Join(lines, "\n")
}

// showBench prints the result.
func showBench(c *cobra.Command, r *bench.Result) error {
	if asJSON(c) {
		return json.NewEncoder(c.OutOrStdout()).Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nsubmitted   %d\ncommitted   %d\nrefused     %d%s\nlost        %d\n",
		r.Submitted, r.Committed, r.Refused, reasonList(r.Reasons), r.Lost)
	fmt.Fprintf(&b, "rate        %.1f transfers/s over %.1f s\n", r.TransfersPerSecond, r.Elapsed.Seconds())
	fmt.Fprintf(&b, "latency     p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms\n",
		r.LatencyMs.P50, r.LatencyMs.P90, r.LatencyMs.P99, r.LatencyMs.Max)
	if r.Cores > 0 {
		fmt.Fprintf(&b, "generator   %.2f of a core\n", r.Cores)
	}
	if len(r.Retries) > 0 {
		fmt.Fprintf(&b, "retries    %s\n", reasonList(r.Retries))
	}
	if r.Late > 0 {
		fmt.Fprintf(&b, "note        %d committed transactions were not answered in time: the latency leaves them out\n", r.Late)
	}
	if r.SignedLate > 0 {
		fmt.Fprintf(&b, "note        %d transactions had to be signed while sending, which costs the machine\n", r.SignedLate)
	}
	if r.Verified {
		fmt.Fprintf(&b, "verified    at height %d: %d differences\n", r.VerifyHeight, len(r.Differences))
	}
	_, err := io.WriteString(c.OutOrStdout(), b.String())
	return err
}

// reasonList names why transactions were refused, the most frequent first.
func reasonList(reasons map[string]uint64) string {
	if len(reasons) == 0 {
		return ""
	}
	names := make([]string, 0, len(reasons))
	for name := range reasons {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if reasons[a] != reasons[b] {
			return int(int64(reasons[b]) - int64(reasons[a]))
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, reasons[name])
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// benchScreen shows how a run goes: progress of one line on standard error, a
// row a second on standard output.
type benchScreen struct {
	out   io.Writer
	table io.Writer // nil with --json
	live  bool      // out is a terminal: lines may be overwritten
	legs  int
	last  string
	rows  int
}

// stage shows progress. It is called by one goroutine at a time.
func (s *benchScreen) stage(name string, done, total int) {
	if s.live {
		fmt.Fprintf(s.out, "\r\033[K%s %d of %d", name, done, total)
		return
	}
	if name != s.last && s.table != nil {
		fmt.Fprintf(s.out, "%s %d\n", name, total)
	}
	s.last = name
}

func (s *benchScreen) clear() {
	if s.live {
		fmt.Fprint(s.out, "\r\033[K")
	}
}

// row adds a line to the table.
func (s *benchScreen) row(l bench.Live) {
	if s.table == nil {
		return
	}
	s.clear()
	if s.rows%20 == 0 {
		fmt.Fprintln(s.table, " time submitted committed refused waiting   per sec p50 ms p90 ms p99 ms max ms")
	}
	s.rows++
	fmt.Fprintf(s.table, "%4.0fs %9d %9d %7d %7d %9.0f %6.1f %6.1f %6.1f %6.1f\n", l.Elapsed.Seconds(), l.Submitted, l.Committed,
		l.Refused, l.Waiting, l.TransfersPerSecond, l.LatencyMs.P50, l.LatencyMs.P90, l.LatencyMs.P99, l.LatencyMs.Max)
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, is := w.(*os.File)
	return is && term.IsTerminal(int(f.Fd()))
}
