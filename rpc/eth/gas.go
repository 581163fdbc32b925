package eth

// The figures of gas that wallets are shown. They are Ethereum's own for such
// transactions, so that a wallet's own checks pass. Nothing is measured and
// nothing is paid: the price of gas is zero.
const (
	GasValue uint64 = 21_000 // a transaction without data
	GasCall  uint64 = 65_000 // every other one
	// GasLimit is that of a block. The real limits are bytes, legs and signatures
	// (docs/FORMATS.md), which never come to so much.
	GasLimit uint64 = 1_000_000_000_000
)

// GasOf is what a transaction with this call data uses.
func GasOf(input []byte) uint64 {
	if len(input) == 0 {
		return GasValue
	}
	return GasCall
}
