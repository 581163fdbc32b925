package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	neturl "net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/node"
)

const (
	healthTimeout  = 4 * time.Second // less than what Docker allows
	maxHealthBytes = 1 << 20
)

func newHealth() *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Ask a node whether it is well",
		Long: "Ask a running node whether it is well, and with --ready whether it is ready for clients.\n" +
			"The exit code is 0 for yes and 4 for no.",
		Example: "  tally health --home /srv/tally\n  tally health --url http://127.0.0.1:9464 --ready",
		Args:    exactly(),
	}
	home := homeFlag(c)
	url := c.Flags().String("url", "", "the `URL` of the node's metrics server, in place of what --home says")
	ready := c.Flags().Bool("ready", false, "ask whether it is ready for clients")
	c.RunE = run(func(c *cobra.Command, _ []string) error {
		base := strings.TrimSuffix(*url, "/")
		if base == "" {
			var err error
			if base, err = metricsURL(*home); err != nil {
				return err
			}
		}
		path := "/healthz"
		if *ready {
			path = "/readyz"
		}
		h, err := askHealth(c.Context(), base+path)
		if err != nil {
			return fails(exitUnhealthy, err, "is the node running, and is this its metrics server?")
		}
		if !h.OK {
			return fails(exitUnhealthy, errors.New(strings.Join(h.Reasons, "; ")), "")
		}
		return show(c, h, fmt.Sprintf("ok, at height %d\n", h.Height))
	})
	return c
}

// metricsURL is where the node in home serves its health to its own machine.
func metricsURL(home string) (string, error) {
	settings, err := loadConfig(home)
	if err != nil {
		return "", err
	}
	listen := settings.Metrics.Listen
	if listen == "" {
		return "", fails(exitConfig, fmt.Errorf("the node in %s serves no metrics", home), "set metrics.listen")
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fails(exitConfig, fmt.Errorf("metrics.listen: %w", err), "")
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// askHealth reads a node's answer.
func askHealth(ctx context.Context, url string) (node.Health, error) {
	var h node.Health
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return h, err
	}
	response, err := http.DefaultClient.Do(request)
	if failed, ok := errors.AsType[*neturl.Error](err); ok {
		return h, fmt.Errorf("%s: %w", url, failed.Err)
	}
	if err != nil {
		return h, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBytes))
	if err == nil {
		err = json.Unmarshal(body, &h)
	}
	if err != nil || response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable {
		return h, fmt.Errorf("%s does not answer as a node does (%s)", url, response.Status)
	}
	return h, nil
}
