package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"riskprop/bus/hub"
	"riskprop/cmd/riskprop/internal/config"
)

// serverConfigCommand is the subcommand server-config.
type serverConfigCommand struct {
	Consortium  string   `required:"" placeholder:"FILE" help:"The consortium whose members the servers admit."`
	Out         folder   `required:"" placeholder:"DIR" help:"Folder for the files; it is made where it is missing."`
	Nodes       int      `default:"1" help:"Servers: 1, or 3, of which one may fail."`
	Host        []string `default:"127.0.0.1" placeholder:"HOST" help:"Name or address under which a server is reached: one for each, or one for all, on ports that follow one another (default: ${default})."`
	Listen      string   `placeholder:"ADDRESS" help:"Address that the servers listen on (default: the host where it is an address, all otherwise)."`
	Port        int      `default:"4222" help:"Port for the parties."`
	RoutePort   int      `default:"6222" help:"Port for the other servers."`
	MonitorPort int      `default:"8222" help:"Port for monitoring, on the loopback interface; 0: none."`
	Home        string   `placeholder:"DIR" help:"Where the servers find the files and keep their store (default: the folder of --out)."`
	DevCA       bool     `name:"dev-ca" help:"Make certificates for a year, and a CA for nothing else: for development."`
	TLSCert     string   `name:"tls-cert" placeholder:"FILE" help:"The servers' certificate, as they find it."`
	TLSKey      string   `name:"tls-key" placeholder:"FILE" help:"Its key, as they find it."`
	CA          string   `name:"ca" placeholder:"FILE" help:"The CA of all servers' certificates, as they find it; needed with several servers."`
}

// Modes of the files: who reads a server's configuration knows the secret that all servers share.
const (
	secretMode = 0o600
	publicMode = 0o644
)

// newFile is a file that must not be there yet.
type newFile struct {
	name string
	data []byte
	mode fs.FileMode
}

// Run writes the configuration files of all servers, and certificates, or nothing.
func (c *serverConfigCommand) Run(ctx context.Context, u *ui) error {
	consortium, err := config.Load(c.Consortium, config.ParseConsortium)
	if err != nil {
		return err
	}
	files, addresses, err := c.files(consortium)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := writeNewFiles(string(c.Out), files); err != nil {
		return err
	}
	u.say("Configuration of %s for the consortium %s:", servers(c.Nodes), consortium.Fingerprint())
	for _, f := range files {
		note := "for everybody"
		if f.mode == secretMode {
			note = "secret, for this server alone"
		}
		u.say("  %-30s %s", filepath.Join(string(c.Out), f.name), note)
	}
	u.say("Each server is started with riskprop server --config FILE, or by nats-server -c FILE. The parties' configurations say:")
	u.say("  servers: [%s]", strings.Join(addresses, ", "))
	if c.DevCA {
		u.say("  ca: %s", filepath.Join(string(c.Out), "ca.pem"))
		u.warn("certificates made with --dev-ca are for development: they end in a year and cannot be renewed")
	}
	return nil
}

// files makes everything that is written, and the addresses of the servers.
func (c *serverConfigCommand) files(consortium *config.Consortium) (files []newFile, addresses []string, err error) {
	h, err := c.config(consortium)
	if err != nil {
		return nil, nil, err
	}
	for i, n := range h.Nodes {
		text, err := h.Render(i)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, newFile{hub.NodeName(i) + ".conf", []byte(text), secretMode})
		addresses = append(addresses, "tls://"+net.JoinHostPort(n.Host, strconv.Itoa(n.Port)))
	}
	if !c.DevCA {
		return files, addresses, nil
	}
	hosts := make([]string, len(h.Nodes))
	for i, n := range h.Nodes {
		hosts[i] = n.Host
	}
	ca, certificates, err := hub.DevelopmentCA(hosts, time.Now())
	if err != nil {
		return nil, nil, err
	}
	files = append(files, newFile{"ca.pem", ca, publicMode})
	for i, certificate := range certificates {
		files = append(files, newFile{hub.NodeName(i) + ".pem", certificate.Cert, publicMode},
			newFile{hub.NodeName(i) + "-key.pem", certificate.Key, secretMode})
	}
	return files, addresses, nil
}

// config puts flags and consortium together.
func (c *serverConfigCommand) config(consortium *config.Consortium) (hub.Config, error) {
	given := c.TLSCert != "" && c.TLSKey != ""
	switch {
	case c.DevCA && (c.TLSCert != "" || c.TLSKey != "" || c.CA != ""):
		return hub.Config{}, errors.New("--dev-ca makes certificates: leave --tls-cert, --tls-key and --ca away, or --dev-ca")
	case !c.DevCA && !given:
		return hub.Config{}, errors.New("the servers need certificates: give --tls-cert and --tls-key (and --ca with several servers), or --dev-ca for development")
	case len(c.Host) != 1 && len(c.Host) != c.Nodes:
		return hub.Config{}, fmt.Errorf("%d hosts for %s: give --host once for each, or once for all", len(c.Host), servers(c.Nodes))
	case c.Port == 0:
		return hub.Config{}, errors.New("--port is 0: choose the port under which the parties find the server")
	}
	home, err := filepath.Abs(cmp.Or(c.Home, string(c.Out)))
	if err != nil {
		return hub.Config{}, fmt.Errorf("where is %s: %w", c.Out, err)
	}
	h := hub.Config{Stream: consortium.Stream, Operator: memberOf(consortium.Operator), CA: c.CA}
	for _, m := range consortium.Members {
		h.Members = append(h.Members, memberOf(m))
	}
	if consortium.Auditor != nil {
		auditor := memberOf(*consortium.Auditor)
		h.Auditor = &auditor
	}
	if c.Nodes > 1 {
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		h.RouteSecret = hex.EncodeToString(secret)
	}
	if c.DevCA {
		h.CA = filepath.Join(home, "ca.pem")
	}
	for i := range c.Nodes {
		host := c.Host[0]
		if len(c.Host) > 1 {
			host = c.Host[i]
		}
		h.Nodes = append(h.Nodes, c.node(i, host, countHost(h.Nodes, host), home))
	}
	return h, nil
}

// node describes a server, which is not the first on its host but has earlier ones before it.
func (c *serverConfigCommand) node(i int, host string, earlier int, home string) hub.Node {
	n := hub.Node{
		Host: host, Listen: c.Listen, Port: c.Port + earlier, StoreDir: filepath.Join(home, "store-"+strconv.Itoa(i+1)),
		Cert: c.TLSCert, Key: c.TLSKey,
	}
	if c.Nodes > 1 {
		n.RoutePort = c.RoutePort + earlier
	}
	if c.MonitorPort != 0 {
		n.MonitorPort = c.MonitorPort + earlier
	}
	if c.DevCA {
		n.Cert, n.Key = filepath.Join(home, hub.NodeName(i)+".pem"), filepath.Join(home, hub.NodeName(i)+"-key.pem")
	}
	return n
}

// countHost counts the nodes on a host.
func countHost(nodes []hub.Node, host string) int {
	n := 0
	for _, node := range nodes {
		if node.Host == host {
			n++
		}
	}
	return n
}

// servers counts servers.
func servers(n int) string {
	if n == 1 {
		return "1 server"
	}
	return strconv.Itoa(n) + " servers"
}

// memberOf returns what a server must know of a party.
func memberOf(p config.Public) hub.Member { return hub.Member{Name: p.Name, NKey: p.NKey} }

// writeNewFiles writes all files into a folder, or none, and makes the folder where it is missing.
func writeNewFiles(dir string, files []newFile) error {
	_, err := os.Lstat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder: %w", err)
	}
	var written []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err = config.WriteNew(path, f.data, f.mode); err != nil {
			break
		}
		written = append(written, path)
	}
	if err == nil {
		return nil
	}
	errs := []error{err}
	for _, path := range slices.Backward(written) {
		errs = append(errs, os.Remove(path))
	}
	if made {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}
