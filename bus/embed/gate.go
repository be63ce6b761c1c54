package embed

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// gate admits clients as the server itself would, by the nkeys of its configuration, but for those whose account is shut out. The
// server has no such switch of its own; taking the user out of its configuration would set up all accounts anew while others
// are at work.
type gate struct {
	users map[string]*server.NkeyUser // by public nkey
	enter func(account string) bool   // counts a connection, and tells whether its account is not shut out
}

// newGate takes over the users of the options; for the nonce that clients sign see install. The error says what it cannot take over.
func newGate(opts *server.Options, enter func(account string) bool) (*gate, error) {
	if err := nkeysAlone(opts); err != nil {
		return nil, err
	}
	g := &gate{users: make(map[string]*server.NkeyUser), enter: enter}
	for _, u := range opts.Nkeys {
		if u.Account == nil || u.AllowedConnectionTypes != nil || u.ProxyRequired || u.Permissions != nil && u.Permissions.Response != nil {
			return nil, fmt.Errorf("user %s: want an account, and neither connection types, a proxy nor permissions for responses", u.Nkey)
		}
		g.users[u.Nkey] = &server.NkeyUser{Nkey: u.Nkey, Permissions: u.Permissions, Account: u.Account}
	}
	return g, nil
}

// nkeysAlone returns an error where clients can be admitted in any other way.
func nkeysAlone(o *server.Options) error {
	switch {
	case len(o.Nkeys) == 0:
		return errors.New("no users with nkeys")
	case len(o.Users) > 0 || o.Username != "" || o.Password != "" || o.Authorization != "" || o.NoAuthUser != "":
		return errors.New("users with passwords or tokens, or without either")
	case len(o.TrustedOperators) > 0 || len(o.TrustedKeys) > 0 || o.AuthCallout != nil || o.AccountResolver != nil:
		return errors.New("users whom others vouch for")
	case o.LeafNode.Port != 0 || o.Gateway.Port != 0 || o.Websocket.Port != 0 || o.MQTT.Port != 0:
		return errors.New("other ways in than the port for clients")
	case o.Proxies != nil && len(o.Proxies.Trusted) > 0:
		return errors.New("proxies")
	}
	return nil
}

// settle replaces the accounts of the configuration by those that the server has made of them.
func (g *gate) settle(ns *server.Server) error {
	for _, u := range g.users {
		account, err := ns.LookupAccount(u.Account.Name)
		if err != nil {
			return fmt.Errorf("account %s: %w", u.Account.Name, err)
		}
		u.Account = account
	}
	return nil
}

// Check implements server.Authentication: the client has signed the nonce of its connection with the key of a user whose account
// is not shut out.
func (g *gate) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	user, known := g.users[opts.Nkey]
	if !known || !signed(opts.Nkey, c.GetNonce(), opts.Sig) || !g.enter(user.Account.Name) {
		return false
	}
	// The registration of the interface does not tell whether the account had room. This one is what the server itself calls.
	client, ok := c.(interface {
		RegisterNkeyUser(*server.NkeyUser) error
	})
	return ok && client.RegisterNkeyUser(user) == nil
}

// signed reports whether the signature is that of a nonce.
func signed(nkey string, nonce []byte, signature string) bool {
	if len(nonce) == 0 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil { // as some clients encode it
		raw, err = base64.StdEncoding.DecodeString(signature)
	}
	if err != nil {
		return false
	}
	key, err := nkeys.FromPublicKey(nkey)
	return err == nil && key.Verify(nonce, raw) == nil
}
