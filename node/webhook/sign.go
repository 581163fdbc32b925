package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery.
const (
	HeaderSignature = "Tallystick-Signature"
	HeaderDelivery  = "Tallystick-Delivery" // Delivery.ID
)

// Sign makes the header Tallystick-Signature for a body sent at a time.
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}

// Verify checks the header of a body that arrived at now: that who has the secret
// has sent it, and not longer ago, or from so far in the future, as tolerance. It is
// what a receiver does.
func Verify(secret, body []byte, header string, now time.Time, tolerance time.Duration) error {
	first, second, ok := strings.Cut(header, ",")
	t, isTime := strings.CutPrefix(first, "t=")
	sum, isSum := strings.CutPrefix(second, "v1=")
	if !ok || !isTime || !isSum {
		return errors.New("the signature is not of the form t=…,v1=…")
	}
	given, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(given, mac(secret, t, body)) {
		return errors.New("the signature is not the secret's over this body")
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return errors.New("the signature's time is no number")
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > tolerance {
		return fmt.Errorf("the signature's time is off by %s, more than %s", age.Round(time.Second), tolerance)
	}
	return nil
}
