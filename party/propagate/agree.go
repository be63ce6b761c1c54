package propagate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"riskprop/party"
	"riskprop/schema"
)

// agree: protocol.md section 2, step 1. Everybody states the manifest, how many packed ciphertexts to expect of it,
// and a commitment to its input. Every two banks exchange tags of the transactions that they share. To itself a party
// keeps the digest of its input and its own tags: started again with other input, it refuses to go on.
type agree struct{ *setup }

const maxAnnouncement = 16 << 10 // bytes

func (r *agree) Plan() party.Plan {
	plan := party.Plan{Name: "agree"}
	maxEdges := int(r.Manifest.MaxEdges)
	for from := range r.n {
		plan.Messages = append(plan.Messages,
			party.Message{From: from, To: party.Everybody, Width: 1, Min: 1, Max: maxAnnouncement})
		for to := range r.n {
			own := party.Message{From: from, To: to, Width: tagWidth, Max: maxEdges}
			if from == to {
				own.Min, own.Max = 1, 1+r.n*maxEdges
			}
			plan.Messages = append(plan.Messages, own)
		}
	}
	return plan
}

func (r *agree) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if s.Self() != r.self {
			yield(party.Draft{}, fmt.Errorf("%w: these are the data of %s", party.ErrInput, r.Ledger.Bank))
			return
		}
		blinding := make([]byte, 32)
		if _, err := io.ReadFull(s.Stream("commitment"), blinding); err != nil {
			panic("propagate: " + err.Error())
		}
		digest := r.Ledger.Digest()
		announcement := schema.Announcement{
			Manifest:    r.Manifest,
			Ciphertexts: uint32(r.packed(r.accounts())),
			Commitment:  schema.Digest("riskprop/v1 commitment", blinding, digest[:]),
		}
		if !yield(party.Draft{To: party.Everybody, Data: schema.Encode(announcement)}, nil) {
			return
		}
		own := append(digest[:], r.ownTags(s)...)
		for peer, group := range r.byPeer() {
			data := own
			if peer != r.self {
				data = sortTags(selectTags(own[tagWidth:], group))
			}
			if len(data) > 0 && !yield(party.Draft{To: peer, Data: data}, nil) {
				return
			}
		}
	}
}

func (r *agree) Check(message party.Message, data []byte) error {
	switch message.To {
	case party.Everybody:
		theirs, err := schema.Decode[schema.Announcement](data, maxAnnouncement)
		if err != nil {
			return err
		}
		if err := schema.Compare(r.Manifest.Fields(), theirs.Manifest.Fields(), r.Roster.Member(message.From).Name); err != nil {
			return err
		}
		if most := r.packed(int(r.Manifest.MaxAccounts)); int64(theirs.Ciphertexts) > int64(most) {
			return fmt.Errorf("%d packed ciphertexts, max_accounts allows %d", theirs.Ciphertexts, most)
		}
		return nil
	case message.From:
		return nil
	}
	for at := tagWidth; at < len(data); at += tagWidth {
		if bytes.Compare(data[at-tagWidth:at-tagWidth/2], data[at:at+tagWidth/2]) >= 0 {
			return errors.New("its tags are not in ascending order")
		}
	}
	return nil
}

func (r *agree) Next(in party.Inbox) (party.Round, error) {
	counts := make([]int, r.n)
	for i, data := range in.Broadcast {
		announcement, err := schema.Decode[schema.Announcement](data, maxAnnouncement)
		if err != nil {
			return nil, err
		}
		counts[i] = int(announcement.Ciphertexts)
	}
	common := &agreement{setup: r.setup, packedCounts: counts}
	if in.Self >= 0 {
		if err := r.match(common, in); err != nil {
			return nil, err
		}
		common.setup = r.withoutEdges()
	}
	return &scores{agreement: common}, nil
}

// match finds the edges that both sides list, and applies the manifest's policies.
func (r *agree) match(common *agreement, in party.Inbox) error {
	own, digest := in.Private[r.self], r.Ledger.Digest()
	if !bytes.Equal(own[:tagWidth], digest[:]) {
		return fmt.Errorf("%w: the data of %s have changed since this session began: use the files that it began with, or begin a new session",
			party.ErrInput, r.Ledger.Bank)
	}
	var lists [][]sharedEdge
	groups := r.byPeer()
	for peer, group := range groups {
		var list []sharedEdge
		if peer != r.self {
			var counts Agreement
			list, counts = r.intersect(own[tagWidth:], in.Private[peer], group)
			counts.Peer = r.Roster.Member(peer).Name
			common.report.Peers = append(common.report.Peers, counts)
			if r.Manifest.FailOnMismatch && counts.OnlyHere+counts.OnlyThere+counts.AmountsDiffer > 0 {
				return &party.Refusal{Reason: "transactions do not match those of another bank",
					Err: fmt.Errorf("the transactions with %s do not match: %s", counts.Peer, counts)}
			}
		}
		lists = append(lists, list)
	}
	common.flows = r.sortFlows(groups[r.self], lists)
	common.report.SingleSource = singleSource(lists, r.Ledger.Bank)
	if limit := int(r.Manifest.MaxSingleSource); r.Manifest.LimitDisclosure && common.report.SingleSource > limit {
		return &party.Refusal{Reason: "more of its scores could reveal a single foreign one than disclosure.max_single_source allows",
			Err: fmt.Errorf("%d accounts of %s have a single foreign source, whose score they could reveal; disclosure.max_single_source allows %d",
				common.report.SingleSource, r.Ledger.Bank, limit)}
	}
	return nil
}
