package keygen

import (
	"iter"

	"riskprop/party"
	"riskprop/schema"
)

// maxManifest bounds the encoded manifest, in bytes.
const maxManifest = 1024

// agree: everybody states the manifest, so that a difference is found before anything else and its field is named.
// The papers take equal parameters for granted.
type agree struct{ *setup }

func (r *agree) Plan() party.Plan {
	plan := party.Plan{Name: "agree"}
	for from := range r.n {
		plan.Messages = append(plan.Messages, party.Message{From: from, To: party.Everybody, Width: 1, Min: 1, Max: maxManifest})
	}
	return plan
}

func (r *agree) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		yield(party.Draft{To: party.Everybody, Data: schema.Encode(r.manifest)}, nil)
	}
}

func (r *agree) Check(message party.Message, data []byte) error {
	theirs, err := schema.Decode[schema.KeygenManifest](data, maxManifest)
	if err != nil {
		return err
	}
	return schema.Compare(r.manifest.Fields(), theirs.Fields(), r.roster.Member(message.From).Name)
}

func (r *agree) Next(party.Inbox) (party.Round, error) { return r.anew(Stats{}), nil }
