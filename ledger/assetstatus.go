package ledger

import "github.com/tallystick/tallystick/crypto"

// assetSteps are all the ways in which an asset's status changes. The issuer
// and the members pause independently of each other, and each ends only its
// own pause. What is retired stays so; the members can still stop what is left
// of it.
var assetSteps = [...]struct {
	by       EventType
	from, to AssetStatus
}{
	{EventAssetPaused, AssetActive, AssetPaused},
	{EventAssetPaused, AssetPausedByNetwork, AssetPausedByBoth},
	{EventAssetResumed, AssetPaused, AssetActive},
	{EventAssetResumed, AssetPausedByBoth, AssetPausedByNetwork},
	{EventAssetRetired, AssetActive, AssetRetired},
	{EventAssetPausedByNetwork, AssetActive, AssetPausedByNetwork},
	{EventAssetPausedByNetwork, AssetPaused, AssetPausedByBoth},
	{EventAssetPausedByNetwork, AssetRetired, AssetRetiredAndPaused},
	{EventAssetResumedByNetwork, AssetPausedByNetwork, AssetActive},
	{EventAssetResumedByNetwork, AssetPausedByBoth, AssetPaused},
	{EventAssetResumedByNetwork, AssetRetiredAndPaused, AssetRetired},
}

// After is the status that an event of the asset leads to from s; ok is false
// where such an event cannot happen.
func (s AssetStatus) After(e EventType) (next AssetStatus, ok bool) {
	for _, step := range assetSteps {
		if step.by == e && step.from == s {
			return step.to, true
		}
	}
	return s, false
}

// paused reports whether nothing of the asset may move.
func (s AssetStatus) paused() bool { return s == AssetPaused || s.pausedByNetwork() }

// pausedByNetwork reports whether not even the issuer may move the asset.
func (s AssetStatus) pausedByNetwork() bool {
	return s == AssetPausedByNetwork || s == AssetPausedByBoth || s == AssetRetiredAndPaused
}

// retired reports whether the asset can only be redeemed and clawed back.
func (s AssetStatus) retired() bool { return s == AssetRetired || s == AssetRetiredAndPaused }

// moving: the asset exists, and is neither retired nor paused.
func (s *state) moving(asset crypto.Address) (Code, error) {
	c, err := s.asset(asset)
	switch {
	case err != nil:
		return 0, err
	case !c.present:
		return CodeUnknownAsset, nil
	}
	return c.value.Status.moves(), nil
}

// moves is what stands against moving or issuing an asset of the status.
func (s AssetStatus) moves() Code {
	switch {
	case s.retired():
		return CodeAssetRetired
	case s.paused():
		return CodeAssetPaused
	}
	return Applied
}

// apply of pauseAsset checks asset, issuer, retirement and pause, in this order.
func (o *PauseAsset) apply(s *state, b *Body) (Code, error) {
	return s.stepByIssuer(o.Asset, b.Sender, EventAssetPaused, CodeAssetPaused)
}

// apply of resumeAsset checks asset, issuer, retirement and pause, in this order.
func (o *ResumeAsset) apply(s *state, b *Body) (Code, error) {
	return s.stepByIssuer(o.Asset, b.Sender, EventAssetResumed, CodeAssetNotPaused)
}

func (s *state) stepByIssuer(asset, sender crypto.Address, e EventType, already Code) (Code, error) {
	c, code, err := s.issued(asset, sender)
	if code != Applied || err != nil {
		return code, err
	}
	if c.value.Status.retired() {
		return CodeAssetRetired, nil
	}
	return s.step(c, e, already), nil
}

// pauseByNetwork stops every movement of an asset, clawback included, by a
// vote of the members.
func (s *state) pauseByNetwork(asset crypto.Address) (Code, error) {
	return s.stepByNetwork(asset, EventAssetPausedByNetwork, CodeAssetPaused)
}

// resumeByNetwork ends what pauseByNetwork began; the issuer's own pause stays.
func (s *state) resumeByNetwork(asset crypto.Address) (Code, error) {
	return s.stepByNetwork(asset, EventAssetResumedByNetwork, CodeAssetNotPaused)
}

func (s *state) stepByNetwork(asset crypto.Address, e EventType, already Code) (Code, error) {
	c, err := s.asset(asset)
	if err != nil {
		return 0, err
	}
	if !c.present {
		return CodeUnknownAsset, nil
	}
	return s.step(c, e, already), nil
}

// step changes an asset's status, or answers already where there is no way.
func (s *state) step(c *cell[crypto.Address, Asset], e EventType, already Code) Code {
	next, ok := c.value.Status.After(e)
	if !ok {
		return already
	}
	changed := c.value
	changed.Status = next
	s.assetTable.set(c, changed)
	s.emit(Event{Type: e, Asset: c.id})
	return Applied
}
