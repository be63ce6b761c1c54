package jet

import (
	"fmt"
	"strings"

	"riskprop/bus"
)

// The subjects of a log: seven tokens, the first of which is "risk" and the fifth the recipient.
const (
	Subjects = "risk.*.*.*.*.*.*"   // all of them
	Shared   = "risk.*.*.*.all.*.*" // those that everybody may read, and that Tail reads
)

// PrivatePrefix comes before the subject of a record in the private stream.
const PrivatePrefix = "private."

// MaxMessage is what a message may have in data and headers together: the server counts both.
const MaxMessage = bus.MaxRecord + 4<<10

// Streams returns the names of the two streams of the log called name.
func Streams(name string) (shared, private string) {
	return name, name + "-PRIVATE"
}

// Announcements returns the subject on which the server announces, without its data, every record that is stored in the shared
// stream of the log called name and belongs to session, which may be "*".
func Announcements(name, session string) string {
	return name + ".STORED." + session
}

// place says where a record is.
type place struct{ stream, subject string }

// placeOf returns where the record under subject is, which passed bus.CheckSubject. The error wraps bus.ErrInvalid.
func (l *Log) placeOf(subject string) (place, error) {
	if !bus.Match(Subjects, subject) {
		return place{}, fmt.Errorf("%w: %s does not match %s", bus.ErrInvalid, subject, Subjects)
	}
	shared, private := Streams(l.cfg.Stream)
	if bus.Match(Shared, subject) {
		return place{shared, subject}, nil
	}
	return place{private, PrivatePrefix + subject}, nil
}

// announcements returns where records that match filter are announced. Their second token is the session.
func (l *Log) announcements(filter string) string {
	return Announcements(l.cfg.Stream, strings.Split(filter, ".")[1])
}

// directGet returns where to ask for the message at p.
func (l *Log) directGet(p place) string {
	return l.api("DIRECT.GET." + p.stream + "." + p.subject)
}
