package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/rs/zerolog"

	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
)

// dial connects a member or the auditor to the log of its consortium, which is called stream, over the servers of its configuration. The
// second result closes the connection. What the connection reports apart from any call goes to the logger.
func dial(ctx context.Context, p *config.Party, id *config.Identity, stream string, logger zerolog.Logger) (*jet.Log, func(), error) {
	return dialAs(ctx, p, id, jet.Config{Stream: stream}, logger)
}

// dialAs is dial with a handle's limits of time; name and API are filled in.
func dialAs(ctx context.Context, p *config.Party, id *config.Identity, handle jet.Config, logger zerolog.Logger) (*jet.Log, func(), error) {
	credentials, err := credentials(p, id)
	if err != nil {
		return nil, nil, err
	}
	connection, err := jet.Dial(ctx, p.Servers, credentials, func(err error) { logger.Debug().Err(err).Msg("nats") })
	if err != nil {
		return nil, nil, err
	}
	handle.Party, handle.APIPrefix, handle.Paced = id.Name, jet.MemberAPIPrefix, true
	log, err := jet.New(ctx, connection, handle)
	if err != nil {
		connection.Close()
		return nil, nil, err
	}
	return log, connection.Close, nil
}

// credentials are what a party shows a server, and the roots by which it knows the server.
func credentials(p *config.Party, id *config.Identity) (jet.Credentials, error) {
	if p.Name != id.Name {
		return jet.Credentials{}, otherIdentity(p, id)
	}
	nkey, sign, err := id.NKey()
	if err != nil {
		return jet.Credentials{}, err
	}
	c := jet.Credentials{Name: id.Name, NKey: nkey, Sign: sign}
	if p.CA != "" {
		c.CA, err = readRoots(p.CA)
	}
	return c, err
}

// otherIdentity words an identity that is not the one of the configuration's party.
func otherIdentity(p *config.Party, id *config.Identity) error {
	return fmt.Errorf("the configuration is that of %s, but %s holds the identity of %s: name the right file", p.Name, p.Identity, id.Name)
}

// maxRoots bounds the file of roots, in bytes.
const maxRoots = 1 << 20

// readRoots reads the roots' certificates.
func readRoots(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the certificates of the servers' authority: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxRoots:
		return nil, fmt.Errorf("%s is no regular file of at most %d bytes: ca is the file with the certificates of the servers' authority", path, maxRoots)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of the servers' authority: %w", err)
	}
	if len(data) == 0 {
		return nil, errors.New(path + " is empty: ca is the file with the certificates of the servers' authority")
	}
	return data, nil
}

// publicOf finds what a consortium knows of a party, whatever its role.
func publicOf(c *config.Consortium, name string) (config.Public, bool) {
	parties := append(slices.Clone(c.Members), c.Operator)
	if c.Auditor != nil {
		parties = append(parties, *c.Auditor)
	}
	at := slices.IndexFunc(parties, func(p config.Public) bool { return p.Name == name })
	if at < 0 {
		return config.Public{}, false
	}
	return parties[at], true
}
