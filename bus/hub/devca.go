package hub

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/netip"
	"time"
)

// The life of development certificates. It begins a little earlier, for clocks that run slow.
const (
	developmentYears = 1
	clockSkew        = 5 * time.Minute
)

// Certificate is a certificate and its key, in PEM.
type Certificate struct{ Cert, Key []byte }

// DevelopmentCA makes a CA and, for every host, a certificate with which a server is reached under that name or address and
// reaches other servers. All live for a year from now on. Keys are ECDSA on P-256; the CA's own is thrown away, so that
// nobody can make more certificates, and nobody can renew them: make all of them anew.
func DevelopmentCA(hosts []string, now time.Time) (ca []byte, certificates []Certificate, err error) {
	root := template("riskprop development CA", now)
	root.IsCA, root.BasicConstraintsValid, root.MaxPathLenZero = true, true, true
	root.KeyUsage = x509.KeyUsageCertSign
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the CA's key: %w", err)
	}
	if ca, err = sign(root, root, &rootKey.PublicKey, rootKey); err != nil {
		return nil, nil, err
	}
	for _, host := range hosts {
		leaf := template(host, now)
		leaf.KeyUsage = x509.KeyUsageDigitalSignature
		leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		if address, err := netip.ParseAddr(host); err == nil {
			leaf.IPAddresses = append(leaf.IPAddresses, address.AsSlice())
		} else {
			leaf.DNSNames = []string{host}
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("make the key of %s: %w", host, err)
		}
		cert, err := sign(leaf, root, &key.PublicKey, rootKey)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, nil, fmt.Errorf("encode the key of %s: %w", host, err)
		}
		certificates = append(certificates, Certificate{cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})})
	}
	return ca, certificates, nil
}

// template returns what all certificates have in common. A serial number is chosen where there is none.
func template(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-clockSkew),
		NotAfter:  now.AddDate(developmentYears, 0, 0),
	}
}

// sign makes a certificate, in PEM.
func sign(c, parent *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of %s: %w", c.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
