package hub

import (
	"strings"

	"riskprop/bus/jet"
)

// service is a subject of HUB to which a member may send requests.
type service struct {
	subject string // in HUB
	batch   bool   // it answers with more than one message
}

// local returns the subject in the member's own account.
func (s service) local() string {
	if call, ok := strings.CutPrefix(s.subject, jet.DefaultAPIPrefix); ok {
		return jet.MemberAPIPrefix + call
	}
	return s.subject
}

// response returns what an export says of the answers.
func (s service) response() string {
	if s.batch {
		return ", response: stream"
	}
	return ""
}

// sharedServices are those that members and the auditor have in common.
func (c Config) sharedServices() []service {
	shared, _ := jet.Streams(c.Stream)
	get := jet.DefaultAPIPrefix + ".DIRECT.GET." + shared
	return []service{{subject: get, batch: true}, {subject: get + "." + jet.Shared}}
}

// ownServices are those that m alone has: to write in its own name, and to read what is addressed to it or was written by it.
func (c Config) ownServices(m Member) []service {
	_, private := jet.Streams(c.Stream)
	get := jet.DefaultAPIPrefix + ".DIRECT.GET." + private + "."
	return []service{
		{subject: "risk.*.*.*.all." + m.Name + ".*"},
		{subject: jet.PrivatePrefix + "risk.*.*.*.*." + m.Name + ".*"},
		{subject: get + jet.PrivatePrefix + "risk.*.*.*." + m.Name + ".*.*"},
		{subject: get + jet.PrivatePrefix + "risk.*.*.*.*." + m.Name + ".*"},
	}
}

// operatorMay returns what the operator may publish and subscribe to, in HUB.
func (c Config) operatorMay() (publish, subscribe []string) {
	publish = []string{jet.DefaultAPIPrefix + ".INFO"}
	shared, private := jet.Streams(c.Stream)
	for _, stream := range []string{shared, private} {
		for _, call := range []string{"CREATE", "INFO", "SNAPSHOT", "RESTORE"} {
			publish = append(publish, jet.DefaultAPIPrefix+".STREAM."+call+"."+stream)
		}
		publish = append(publish, "$JS.SNAPSHOT.ACK."+stream+".*", "$JS.SNAPSHOT.RESTORE."+stream+".*")
	}
	return publish, []string{jet.InboxPrefix(c.Operator.Name) + ".>"}
}
