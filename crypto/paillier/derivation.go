package paillier

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

var (
	// ErrInconsistent is Theta's verdict that the published values do not lie on one polynomial: a party published or computed
	// a wrong share.
	ErrInconsistent = errors.New("the shares modulo N do not lie on one polynomial of the threshold's degree")
	// ErrDiscard is Theta's verdict that N is of no use: it fails the last biprimality condition of [BF97], gcd(N, p+q-1) = 1.
	// The search for a modulus goes on.
	ErrDiscard = errors.New("theta shares a factor with N: discard this modulus")
)

// Derivation is the integer arithmetic between the modulus and the key shares [TNO19], as one party does it, without the
// messages:
//
//	Phi           the party's piece φ_i of φ(N), Σφ_i = φ(N)
//	ShareSecrets  shares φ_i and a random β_i with every party, degree t over the integers
//	Reshare       multiplies the sums of the shares received, f_φ(j)·f_β(j), and shares L_j times that product [GRR98]
//	              (the product itself is never opened, not even modulo N)
//	Theta         from S_i mod N of all parties, where S_i is the sum of what party i received from Reshare
//
// With Δ = n! the S_i are a sharing of degree t, over the integers, of Δ⁴·φ·β: one Δ from each of the sharings of φ, of β and of
// the products, and one from the Lagrange coefficients L_j = Δ·λ_j. Shares are never reduced; their absolute values have the
// public bounds ShareBound, ReshareBound and KeyShareBound, which depend on nothing secret.
//
// Parties are counted from 1. The methods panic if Validate fails, and on misuse.
type Derivation struct {
	Parties   int // n
	Threshold int // t
	Kappa     int // statistical security of the masking, in bits
	N         *big.Int
}

// Validate checks 3 <= n <= shamir.MaxParties, 1 <= t, 2t+1 <= n, the range of Kappa, and that N ≡ 1 (mod 4) has no prime factor
// up to n.
func (d Derivation) Validate() error {
	if err := d.sharing().Validate(); err != nil {
		return err
	}
	if d.Parties < 2*d.Threshold+1 {
		return fmt.Errorf("threshold %d among %d parties: need at least %d parties", d.Threshold, d.Parties, 2*d.Threshold+1)
	}
	if d.N == nil || d.N.Cmp(big.NewInt(1)) <= 0 || d.N.Bit(0) != 1 || d.N.Bit(1) != 0 {
		return errors.New("paillier modulus: must be above 1 and 1 modulo 4")
	}
	if new(big.Int).GCD(nil, nil, d.sharing().Delta(), d.N).Cmp(big.NewInt(1)) != 0 {
		return fmt.Errorf("paillier modulus: has a prime factor up to the number of parties, %d", d.Parties)
	}
	return nil
}

// Phi returns φ_1 = N+1-p-q and φ_i = -(p+q) for i > 1, from party i's pieces of the two primes.
func (d Derivation) Phi(i int, p, q *big.Int) *big.Int {
	d.checkParty(i, d.Parties)
	phi := new(big.Int).Add(p, q)
	phi.Neg(phi)
	if i == 1 {
		phi.Add(phi, d.N)
		phi.Add(phi, big.NewInt(1))
	}
	return phi
}

// ShareSecrets shares phi and a fresh β, uniform in [0, N), with every party: phiShares[j-1] and betaShares[j-1] are for party j. It
// reads β with sample.Below from r, then the coefficients for phi, then those for β. Panics if |phi| > N.
func (d Derivation) ShareSecrets(r io.Reader, phi *big.Int) (phiShares, betaShares []*big.Int) {
	d.mustBeValid()
	beta := sample.Below(r, d.N)
	phiShares = d.sharing().Share(r, phi, d.N)
	betaShares = d.sharing().Share(r, beta, d.N)
	return phiShares, betaShares
}

// Reshare is party j's part in the multiplication of φ and β, for j in 1..2t+1: phiShare and betaShare are the SUMS of the n shares
// that it received, w = phiShare·betaShare lies on a polynomial of degree 2t, and L_j·w is shared with all parties by a fresh
// polynomial of degree t, read from r. Panics if j is beyond 2t+1 or a sum is beyond n·ShareBound.
func (d Derivation) Reshare(r io.Reader, j int, phiShare, betaShare *big.Int) []*big.Int {
	d.mustBeValid()
	d.checkParty(j, d.multipliers())
	limit := d.sumBound()
	if phiShare.CmpAbs(limit) > 0 || betaShare.CmpAbs(limit) > 0 {
		panic("paillier: a sum of shares exceeds its bound")
	}
	secret := new(big.Int).Mul(phiShare, betaShare)
	secret.Mul(secret, d.lagrange()[j-1])
	return d.sharing().Share(r, secret, d.productBound())
}

// ShareBound returns the largest absolute value of one share of ShareSecrets.
func (d Derivation) ShareBound() *big.Int {
	d.mustBeValid()
	return d.sharing().ShareBound(d.N)
}

// ReshareBound returns the largest absolute value of one share of Reshare.
func (d Derivation) ReshareBound() *big.Int { return d.sharing().ShareBound(d.productBound()) }

// KeyShareBound returns a bound on |S_i|, the sum of 2t+1 shares of Reshare.
func (d Derivation) KeyShareBound() *big.Int {
	bound := d.ReshareBound()
	return bound.Mul(bound, big.NewInt(int64(d.multipliers())))
}

// Theta returns θ = Δ⁴·φ·β mod N from S_i mod N of all parties, shares[i-1] of party i. It fails with ErrInconsistent if they do not
// lie on one polynomial of degree t, and with ErrDiscard unless gcd(θ, N) = 1: since φ(N) ≡ -(p+q-1) (mod N), that is [BF97]'s
// condition on p+q-1, too. Panics unless there are n shares.
func (d Derivation) Theta(shares []*big.Int) (*big.Int, error) {
	d.mustBeValid()
	if len(shares) != d.Parties {
		panic(fmt.Sprintf("paillier: %d shares from %d parties", len(shares), d.Parties))
	}
	points := shamir.Points(d.Parties)
	if !shamir.Consistent(points, shares, d.Threshold, d.N) {
		return nil, ErrInconsistent
	}
	theta := shamir.Combine(points[:d.Threshold+1], shares[:d.Threshold+1], d.N)
	if !isUnit(theta, d.N, d.N) {
		return nil, ErrDiscard
	}
	return theta, nil
}

// sumBound returns the largest absolute value of the sum of the shares of all parties.
func (d Derivation) sumBound() *big.Int {
	bound := d.ShareBound()
	return bound.Mul(bound, big.NewInt(int64(d.Parties)))
}

// productBound returns the largest |L_j| times the square of sumBound: the bound of the secrets of Reshare.
func (d Derivation) productBound() *big.Int {
	largest := new(big.Int)
	for _, l := range d.lagrange() {
		if l.CmpAbs(largest) > 0 {
			largest.Abs(l)
		}
	}
	sum := d.sumBound()
	return largest.Mul(largest, sum.Mul(sum, sum))
}

// lagrange returns L_1, ..., L_{2t+1}.
func (d Derivation) lagrange() []*big.Int {
	return d.sharing().Lagrange(shamir.Points(d.multipliers()))
}

// multipliers returns how many parties, the first ones, multiply: enough points for degree 2t.
func (d Derivation) multipliers() int { return 2*d.Threshold + 1 }

func (d Derivation) sharing() shamir.Integer {
	return shamir.Integer{N: d.Parties, T: d.Threshold, Kappa: d.Kappa}
}

func (d Derivation) mustBeValid() {
	if err := d.Validate(); err != nil {
		panic("paillier: " + err.Error())
	}
}

func (d Derivation) checkParty(i, last int) {
	if i < 1 || i > last {
		panic(fmt.Sprintf("paillier: party %d has no part in this step, only 1 to %d have", i, last))
	}
}
