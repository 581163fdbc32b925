package api

import (
	"context"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
)

// AssetParam names an asset. Like the other groups of parameters it is exported because huma reads
// only embedded fields that are.
type AssetParam struct {
	Asset string `path:"asset" maxLength:"42" example:"USD" doc:"An asset's address or symbol"`
}

// holdings registers what is asked of assets and holds.
func (s *server) holdings(a huma.API) {
	read(a, s, huma.Operation{OperationID: "listAssets", Path: "/assets", Tags: []string{"Assets"}, Summary: "Assets, by symbol"}, s.assets)
	read(a, s, huma.Operation{OperationID: "getAsset", Path: "/assets/{asset}", Tags: []string{"Assets"}, Summary: "An asset"}, s.oneAsset)
	read(a, s, huma.Operation{OperationID: "listAssetEvents", Path: "/assets/{asset}/events", Tags: []string{"Assets"}, Summary: "What happened to an asset",
		Description: "Pauses, another issuer, metadata, approvals and freezes of holders; movements are apart."}, s.assetEvents)
	read(a, s, huma.Operation{OperationID: "listAssetMovements", Path: "/assets/{asset}/movements", Tags: []string{"Assets"}, Summary: "Movements of an asset"}, s.assetMovements)
	read(a, s, huma.Operation{OperationID: "listHolders", Path: "/assets/{asset}/holders", Tags: []string{"Assets"}, Summary: "Who has an asset, the richest first"}, s.holders)
	read(a, s, huma.Operation{OperationID: "getSupplySeries", Path: "/assets/{asset}/supply", Tags: []string{"Assets"}, Summary: "An asset's supply over time"}, s.supply)
	read(a, s, huma.Operation{OperationID: "listHolds", Path: "/holds", Tags: []string{"Holds"}, Summary: "Holds",
		Description: "An amount that an account set aside for another, open or ended."}, s.holds)
	read(a, s, huma.Operation{OperationID: "getHold", Path: "/holds/{hold}", Tags: []string{"Holds"}, Summary: "A hold"}, s.hold)
}

func (s *server) assets(ctx context.Context, in *struct {
	PageParams
	Issuer string `query:"issuer" pattern:"^0x[0-9a-fA-F]{40}$" doc:"Of this issuer"`
	Status string `query:"status" enum:"active,paused,pausedByNetwork,pausedByBoth,retired,retiredAndPaused" doc:"With this status"`
}) (*answer[query.List[query.Asset]], error) {
	issuer, err := addressOr("issuer", in.Issuer)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Assets(ctx, query.AssetFilter{Issuer: issuer, Status: in.Status}, in.page()))
}

var symbol = regexp.MustCompile(`^[A-Z0-9]{1,12}$`)

// FindAsset finds the asset that an address or a symbol, in either case, names.
func FindAsset(ctx context.Context, q query.Queries, name string) (crypto.Address, error) {
	if strings.HasPrefix(name, "0x") {
		return address("asset", name)
	}
	upper := strings.ToUpper(name)
	if !symbol.MatchString(upper) {
		return crypto.Address{}, wrong("asset", name, "is neither an address nor a symbol of 1 to 12 letters and digits")
	}
	a, err := q.AssetBySymbol(ctx, upper)
	if err != nil {
		return crypto.Address{}, err
	}
	return a.Asset, nil
}

func (s *server) oneAsset(ctx context.Context, in *AssetParam) (*answer[query.Asset], error) {
	a, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	return current(s.q.Asset(ctx, a))
}

func (s *server) assetEvents(ctx context.Context, in *struct {
	AssetParam
	OrderedParams
}) (*answer[query.List[query.Event]], error) {
	a, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	return listed(s.q.AssetEvents(ctx, a, in.page()))
}

func (s *server) assetMovements(ctx context.Context, in *struct {
	AssetParam
	OrderedParams
}) (*answer[query.List[query.Movement]], error) {
	a, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Movements(ctx, query.MovementFilter{Asset: &a}, in.page()))
}

func (s *server) holders(ctx context.Context, in *struct {
	AssetParam
	PageParams
}) (*answer[query.List[query.Holder]], error) {
	a, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	return listed(s.q.Holders(ctx, a, in.page()))
}

func (s *server) supply(ctx context.Context, in *struct {
	AssetParam
	SpanParams
}) (*answer[series[query.SupplyPoint]], error) {
	a, err := s.asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	span, err := in.span()
	if err != nil {
		return nil, err
	}
	return sampled(s.q.SupplySeries(ctx, a, span))
}

func (s *server) holds(ctx context.Context, in *struct {
	OrderedParams
	Account string `query:"account" pattern:"^0x[0-9a-fA-F]{40}$" doc:"That this account pays or is paid by"`
	Asset   string `query:"asset" maxLength:"42" doc:"Of this asset: its address or symbol"`
	Status  string `query:"status" enum:"open,captured,released,expired" doc:"With this status"`
}) (*answer[query.List[query.Hold]], error) {
	f := query.HoldFilter{Status: in.Status}
	var err error
	if f.Account, err = addressOr("account", in.Account); err != nil {
		return nil, err
	}
	if f.Asset, err = s.assetOr(ctx, in.Asset); err != nil {
		return nil, err
	}
	return listed(s.q.Holds(ctx, f, in.page()))
}

func (s *server) hold(ctx context.Context, in *struct {
	Hold string `path:"hold" pattern:"^0x[0-9a-fA-F]{40}$" doc:"A hold's address"`
}) (*answer[query.Hold], error) {
	h, err := address("hold", in.Hold)
	if err != nil {
		return nil, err
	}
	return current(s.q.Hold(ctx, h))
}
