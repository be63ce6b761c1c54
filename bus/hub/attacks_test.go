package hub_test

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// attacks are the things that bob tries. Every one is about alice, or about the streams as a whole.
func attacks() []attack {
	var out []attack
	for _, group := range [][]attack{forgeries(), ears(), detours(), getters(), consumers(), api(), headers()} {
		out = append(out, group...)
	}
	return out
}

// forgeries are messages under subjects that are not bob's.
func forgeries() []attack {
	var out []attack
	for _, slot := range free() {
		out = append(out, attack{name: "publish as alice", subject: slot, body: "x"},
			attack{name: "publish as alice, private", subject: "private." + slot, body: "x"})
	}
	for _, subject := range []string{
		"risk.s.keygen.1.all.*.head", "risk.s.keygen.1.all.>.head", "risk.s.keygen.1.all.>", "risk.s.keygen.1.bob.alice.1", "risk.>", ">",
		"private.risk.s.keygen.1.bob.*.1", "private.risk.s.keygen.1.bob.>", "private.private." + part("alice", "bob", 1),
		"RISK.STORED.s", "_INBOX_alice.x", "_INBOX_alice.x.y", "_R_.x.y", "$JS.ACK.RISK.alice-0.1.1.1.1.1", "$JS.ACK.RISK-PRIVATE.alice-0.1.1.1.1.1",
		"$JS.FC.RISK.alice-0.x", "$JS.SNAPSHOT.ACK.RISK.x", "$JS.SNAPSHOT.RESTORE.RISK.x", "$JS.EVENT.ADVISORY.X", "$NRG.V.x",
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.JSZ", "$SYS.REQ.ACCOUNT.HUB.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.CLAIMS.UPDATE",
		"$SYS.ACCOUNT.HUB.CONNECT", "$SYS.REQ.USER.alice.INFO",
	} {
		out = append(out, attack{name: "publish", subject: subject, body: "x"})
	}
	return out
}

// detours make the server publish, to a reply subject, what bob may not.
func detours() []attack {
	var out []attack
	n := 0
	for _, target := range append(free(), "private."+part("alice", "bob", 1), "private."+part("alice", "alice", 1), "$JS.API.STREAM.DELETE.RISK", "_INBOX_alice.x") {
		for _, subject := range []string{
			head("bob", 100+n), "private." + part("bob", "alice", 100+n), "RISK.API.DIRECT.GET.RISK.risk.s.keygen.0.all.alice.head",
			"RISK.API.DIRECT.GET.RISK-PRIVATE.private.risk.s.keygen.0.bob.alice.head",
		} {
			out = append(out, attack{name: "reply to " + target, subject: subject, reply: target, body: "", legal: true})
			n++
		}
		out = append(out,
			attack{name: "batch to " + target, subject: "RISK.API.DIRECT.GET.RISK", reply: target, body: `{"seq":1,"batch":1}`, legal: true},
			attack{name: "not one's own, reply to " + target, subject: head("charlie", 5000), reply: target, body: "x"},
			attack{name: "nobody there, reply to " + target, subject: "RISK.API.NOTHING", reply: target})
	}
	return out
}

// getters ask for what is in alice's inbox.
func getters() []attack {
	const get, private = "RISK.API.DIRECT.GET.", "private.risk.s.keygen.1.alice.charlie.0"
	out := []attack{
		{name: "get", subject: get + "RISK-PRIVATE." + private},
		{name: "get without the prefix", subject: "$JS.API.DIRECT.GET.RISK-PRIVATE." + private},
		{name: "get the shared stream without the prefix", subject: "$JS.API.DIRECT.GET.RISK", body: `{"seq":1}`},
		{name: "get from the other stream", subject: get + "RISK." + private},
	}
	for _, token := range []string{"*", ">"} {
		for _, pattern := range []string{
			"private.risk.s.keygen.1.%s.charlie.0", "private.risk.s.keygen.1.%[1]s.%[1]s.%[1]s", "private.%s", "%s", "private.risk.%s", "private.risk.s.keygen.1.%s",
			"private.risk.s.keygen.1.alice.%[1]s.%[1]s",
		} {
			out = append(out, attack{name: "get by wildcard", subject: get + "RISK-PRIVATE." + fmt.Sprintf(pattern, token)})
		}
		for _, pattern := range []string{
			"private.risk.%[1]s.%[1]s.%[1]s.bob.%[1]s.%[1]s", "private.risk.%[1]s.%[1]s.%[1]s.%[1]s.bob.%[1]s", "private.risk.%[1]s.x.x.bob.x.x", "private.risk.x.x.x.bob.x.%[1]s",
			"private.risk.x.x.%[1]s.x.bob.x",
		} {
			out = append(out, attack{name: "get by wildcard", subject: get + "RISK-PRIVATE." + fmt.Sprintf(pattern, token), legal: true})
		}
		out = append(out, attack{name: "get by wildcard", subject: get + "RISK.risk." + token + ".x.x.all." + token + "." + token, legal: true})
	}
	for _, body := range []string{
		`{"seq":1}`, `{"seq":2}`, `{"last_by_subj":"` + private + `"}`, `{"seq":1,"next_by_subj":"private.>"}`, `{"next_by_subj":">","batch":100}`,
		`{"multi_last":["` + private + `"]}`, `{"multi_last":[">"],"batch":100}`, `{"seq":1,"batch":100}`, `{"start_time":"2020-01-01T00:00:00Z","batch":10}`,
		`{"seq":1,"no_hdr":true}`,
	} {
		out = append(out,
			attack{name: "get " + body, subject: get + "RISK-PRIVATE", body: body},
			attack{name: "get of the shared stream " + body, subject: get + "RISK", body: body, legal: true},
			attack{name: "get under one's own name " + body, subject: get + "RISK-PRIVATE.private.risk.s.keygen.1.bob.alice.0", body: body, legal: true},
			attack{name: "get of all's " + body, subject: get + "RISK.risk.s.keygen.1.all.alice.0", body: body, legal: true},
			attack{name: "message get " + body, subject: "RISK.API.STREAM.MSG.GET.RISK-PRIVATE", body: body},
			attack{name: "message get without the prefix " + body, subject: "$JS.API.STREAM.MSG.GET.RISK-PRIVATE", body: body})
	}
	return out
}

// consumers: whoever may create one has the server publish in HUB what he wants, see the package comment.
func consumers() []attack {
	const filter = "risk.*.*.*.all.*.head"
	config := func(stream, more string) string {
		return fmt.Sprintf(`{"stream_name":%q,"config":{"name":"bob-0","ack_policy":"none"%s}}`, stream, more)
	}
	var out []attack
	for _, prefix := range []string{"RISK.API", "$JS.API"} {
		for _, stream := range []string{"RISK", "RISK-PRIVATE"} {
			create := prefix + ".CONSUMER.CREATE." + stream
			out = append(out,
				attack{name: "pull consumer with one filter", subject: create + ".bob-0." + filter, body: config(stream, `,"filter_subject":"`+filter+`"`)},
				attack{name: "pull consumer with another filter", subject: create + ".bob-0.>", body: config(stream, `,"filter_subject":">"`)},
				attack{name: "pull consumer without filter", subject: create + ".bob-0", body: config(stream, "")},
				attack{name: "pull consumer with two filters", subject: create + ".bob-0", body: config(stream, `,"filter_subjects":["risk.>","private.>"]`)},
				attack{name: "legacy consumer", subject: create, body: fmt.Sprintf(`{"stream_name":%q,"config":{"ack_policy":"none"}}`, stream)},
				attack{name: "durable consumer", subject: prefix + ".CONSUMER.DURABLE.CREATE." + stream + ".bob", body: `{"stream_name":"` + stream + `","config":{"durable_name":"bob","ack_policy":"explicit"}}`})
			for _, deliver := range []string{
				"$JS.API.STREAM.DELETE.RISK", "$JS.API.CONSUMER.MSG.NEXT.RISK.alice-0", head("alice", 1), "private." + part("alice", "bob", 1), "_INBOX_alice.x",
			} {
				out = append(out, attack{name: "push consumer to " + deliver, subject: create + ".bob-1." + filter,
					body: fmt.Sprintf(`{"stream_name":%q,"config":{"name":"bob-1","ack_policy":"none","filter_subject":%q,"deliver_subject":%q,"idle_heartbeat":100000000}}`, stream, filter, deliver)})
			}
			for _, call := range []string{"CONSUMER.MSG.NEXT", "CONSUMER.DELETE", "CONSUMER.INFO", "CONSUMER.RESET", "CONSUMER.PAUSE", "CONSUMER.UNPIN", "CONSUMER.LEADER.STEPDOWN"} {
				out = append(out, attack{name: "another's consumer", subject: fmt.Sprint(prefix, ".", call, ".", stream, ".alice-0")})
			}
			out = append(out, attack{name: "list of consumers", subject: prefix + ".CONSUMER.LIST." + stream}, attack{name: "names of consumers", subject: prefix + ".CONSUMER.NAMES." + stream})
		}
	}
	return out
}

// forgetful is the configuration of a stream of the log, but for the age at which messages are removed.
const forgetful = `{"name":%q,"subjects":[%q],"retention":"limits","storage":"file","max_age":100000000,"num_replicas":1,"max_consumers":-1,"max_msgs":-1,` +
	`"max_bytes":-1,"max_msgs_per_subject":1,"discard":"new","discard_new_per_subject":true,"deny_delete":true,"deny_purge":true,"allow_direct":true}`

// api are the calls that change or show streams.
func api() []attack {
	var out []attack
	for _, prefix := range []string{"RISK.API", "$JS.API", "$JS.RISK.API", "$JSC.R"} {
		for _, stream := range []string{"RISK", "RISK-PRIVATE", "MINE"} {
			config := `{"name":"MINE","subjects":["risk.>"],"retention":"limits","storage":"file","max_age":1000000000}`
			switch stream {
			case "RISK":
				config = fmt.Sprintf(forgetful, stream, "risk.*.*.*.all.*.*")
			case "RISK-PRIVATE":
				config = fmt.Sprintf(forgetful, stream, "private.risk.*.*.*.*.*.*")
			}
			for call, body := range map[string]string{"CREATE": config, "UPDATE": config, "RESTORE": `{"config":` + config + `,"state":{}}`} {
				out = append(out, attack{name: "stream", subject: fmt.Sprint(prefix, ".STREAM.", call, ".", stream), body: body})
			}
			for call, body := range map[string]string{
				"DELETE": "", "PURGE": "", "INFO": "", "SNAPSHOT": `{"deliver_subject":"_INBOX_bob.snapshot"}`, "MSG.DELETE": `{"seq":1}`, "MSG.GET": `{"seq":1}`,
				"LEADER.STEPDOWN": "", "PEER.REMOVE": `{"peer":"nats-1"}`,
			} {
				out = append(out, attack{name: "stream", subject: fmt.Sprint(prefix, ".STREAM.", call, ".", stream), body: body})
			}
		}
		for _, call := range []string{"INFO", "STREAM.LIST", "STREAM.NAMES", "META.LEADER.STEPDOWN", "SERVER.REMOVE", "ACCOUNT.PURGE.HUB", "ACCOUNT.STREAM.MOVE.HUB.RISK"} {
			out = append(out, attack{name: "API", subject: prefix + "." + call})
		}
	}
	return out
}

// ears listen to what is not for bob.
func ears() []attack {
	var out []attack
	for _, subject := range []string{
		"risk.>", "risk.*.*.*.all.*.head", "private.>", "private.risk.*.*.*.bob.*.*", "_INBOX_alice.>", "_INBOX_alice.*", "_INBOX.>", "_INBOX_charlie.>", "*", "*.>", ">",
		"$SYS.>", "$JS.>", "$JS.EVENT.>", "$JS.API.>", "$JS.ACK.>", "RISK.API.>", "RISK.>", "RISK.*.*", "_R_.>", "$NRG.>",
	} {
		out = append(out, attack{name: "subscribe", subject: subject, listen: true})
	}
	return append(out, attack{name: "subscribe", subject: "RISK.STORED.>", listen: true, legal: true}) // the server takes > for one of *
}

// headers are what the server takes as orders, on messages that bob may send.
func headers() []attack {
	var out []attack
	for i, h := range []nats.Header{
		{"Nats-Msg-Id": {"1"}},
		{"Nats-Rollup": {"sub"}},
		{"Nats-Rollup": {"all"}},
		{"Nats-TTL": {"1s"}},
		{"Nats-TTL": {"never"}},
		{"Nats-Marker-Reason": {"Purge"}},
		{"Nats-Incr": {"1"}},
		{"Nats-Expected-Stream": {"RISK"}},
		{"Nats-Expected-Last-Sequence": {"0"}},
		{"Nats-Expected-Last-Msg-Id": {"1"}},
		{"Nats-Expected-Last-Subject-Sequence": {"0"}, "Nats-Expected-Last-Subject-Sequence-Subject": {head("alice", 1)}},
		{"Nats-Expected-Last-Subject-Sequence": {"5"}, "Nats-Expected-Last-Subject-Sequence-Subject": {head("alice", 0)}},
		{"Nats-Batch-Id": {"1"}, "Nats-Batch-Sequence": {"1"}, "Nats-Batch-Commit": {"1"}},
		{"Nats-Schedule": {"@at 2020-01-01T00:00:00Z"}, "Nats-Schedule-Target": {head("alice", 1)}},
		{"Nats-Schedule": {"@every 1s"}, "Nats-Schedule-Target": {"$JS.API.STREAM.DELETE.RISK"}, "Nats-Schedule-TTL": {"1s"}},
		{"Nats-Trace-Dest": {head("alice", 1)}},
		{"Nats-Trace-Dest": {head("alice", 1)}, "Nats-Trace-Only": {"true"}},
		{"Nats-Trace-Dest": {"$JS.API.STREAM.DELETE.RISK"}},
		{"Nats-Request-Info": {`{"acc":"HUB","svc":"HUB"}`}},
		{"Nats-Stream": {"RISK"}, "Nats-Sequence": {"1"}, "Nats-Subject": {head("alice", 1)}},
		{"Nats-Constraint": {"x"}, "Nats-Required-Api-Level": {"0"}},
		{"Status": {"409"}, "Description": {"Consumer Deleted"}},
	} {
		out = append(out,
			attack{name: fmt.Sprint("header ", h), subject: head("bob", 500+i), header: h, body: "x", legal: true},
			attack{name: fmt.Sprint("header, nobody to answer ", h), subject: "private." + part("bob", "alice", 500+i), header: h, body: "x", reply: head("alice", 1), legal: true})
	}
	return append(out,
		attack{name: "too large", subject: head("bob", 600), body: string(make([]byte, 2<<20+4<<10)), legal: true},
		attack{name: "empty", subject: head("bob", 601), legal: true})
}
