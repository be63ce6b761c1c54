package propagate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/party/ledger"
)

// tagWidth is the width of what is said about one shared edge: a keyed 16-byte tag of (period, source, destination),
// and one that includes the amount.
const tagWidth = 32

// peerOf is the other bank of one of the party's edges; an edge within the bank has the party itself.
func (s *setup) peerOf(edge ledger.Edge) int {
	bank := edge.Source.Bank
	if bank == s.Ledger.Bank {
		bank = edge.Destination.Bank
	}
	peer, ok := s.Roster.Index(bank)
	if !ok {
		panic("propagate: an edge of a bank that is no member") // the ledger was read with the roster's names
	}
	return peer
}

// listed is one edge of the ledger, and where its tags are among the party's own.
type listed struct{ edge, tag int }

// byPeer sorts the edges by the other bank, in one pass; those within the bank have no tags.
func (s *setup) byPeer() [][]listed {
	groups, tags := make([][]listed, s.n), 0
	for i, edge := range s.Ledger.Edges {
		peer := s.peerOf(edge)
		groups[peer] = append(groups[peer], listed{i, tags})
		if peer != s.self {
			tags++
		}
	}
	return groups
}

// ownTags computes the tags of all cross-bank edges, in the ledger's order.
func (s *setup) ownTags(secrets *party.Secrets) []byte {
	keys := make([][32]byte, s.n)
	for peer := range keys {
		keys[peer] = secrets.Shared(peer, "edges")
	}
	var tags []byte
	for _, edge := range s.Ledger.Edges {
		peer := s.peerOf(edge)
		if peer == s.self {
			continue
		}
		period := binary.BigEndian.AppendUint64(nil, uint64(edge.Period))
		amount := edge.Amount.Bytes()
		place := seal.Tag(keys[peer], []byte("edge"), period, []byte(edge.Source.Bank), []byte(edge.Source.ID),
			[]byte(edge.Destination.Bank), []byte(edge.Destination.ID))
		value := seal.Tag(keys[peer], []byte("amount"), place[:], amount[:])
		tags = append(append(tags, place[:]...), value[:]...)
	}
	return tags
}

// selectTags picks those of the own tags that belong to some edges.
func selectTags(own []byte, group []listed) []byte {
	var tags []byte
	for _, one := range group {
		tags = append(tags, byTag(own).at(one.tag)...)
	}
	return tags
}

// sortTags sorts a list of tags in place: its order must not tell anything about the ledger.
func sortTags(tags []byte) []byte {
	sort.Sort(byTag(tags))
	return tags
}

type byTag []byte

func (b byTag) at(i int) []byte    { return b[i*tagWidth : (i+1)*tagWidth] }
func (b byTag) Len() int           { return len(b) / tagWidth }
func (b byTag) Less(i, j int) bool { return bytes.Compare(b.at(i), b.at(j)) < 0 }
func (b byTag) Swap(i, j int) {
	swapped := [tagWidth]byte(b.at(i))
	copy(b.at(i), b.at(j))
	copy(b.at(j), swapped[:])
}

// sharedEdge is an edge that both sides list with the same amount.
type sharedEdge struct {
	tag  [16]byte
	edge ledger.Edge
}

// Agreement tells how the transactions that two banks share compare. An edge is all transactions of one source,
// destination and period.
type Agreement struct {
	Peer          string
	Agreed        int // edges that take part
	OnlyHere      int // left out: the peer does not list them
	OnlyThere     int // left out: we do not list them
	AmountsDiffer int // left out: both list them, with different amounts
}

func (a Agreement) String() string {
	return fmt.Sprintf("%d agreed, %d only here, %d only there, %d with different amounts",
		a.Agreed, a.OnlyHere, a.OnlyThere, a.AmountsDiffer)
}

// intersect compares our tags with a peer's. The agreed edges come sorted by tag, which both sides do alike.
func (s *setup) intersect(own, theirs []byte, group []listed) (agreed []sharedEdge, counts Agreement) {
	amounts := make(map[[16]byte][16]byte, len(theirs)/tagWidth)
	for at := 0; at < len(theirs); at += tagWidth {
		amounts[[16]byte(theirs[at:])] = [16]byte(theirs[at+16:])
	}
	for _, one := range group {
		ours := byTag(own).at(one.tag)
		tag := [16]byte(ours)
		amount, known := amounts[tag]
		switch {
		case !known:
			counts.OnlyHere++
		case amount != [16]byte(ours[16:]):
			counts.AmountsDiffer++
		default:
			agreed = append(agreed, sharedEdge{tag, s.Ledger.Edges[one.edge]})
		}
	}
	slices.SortFunc(agreed, func(a, b sharedEdge) int { return bytes.Compare(a.tag[:], b.tag[:]) })
	counts.Agreed = len(agreed)
	counts.OnlyThere = len(amounts) - counts.Agreed - counts.AmountsDiffer
	return agreed, counts
}
