package bus

import "golang.org/x/time/rate"

// A shared log has room for everybody only if nobody takes more than a share. What a party sends to it is counted in units: one for
// every message, and one for every UnitBytes.
const (
	UnitBytes = 512 << 10

	// One process of a party keeps to PaceUnits a second, after PaceBurst at once, of records that it writes or asks for by
	// subject; and to PaceBatches requests a second for what is new. A party needs far less: a round of a key generation is a
	// dozen records, a round of scores is limited by its arithmetic.
	PaceUnits, PaceUnitsBurst     = 100, 100
	PaceBatches, PaceBatchesBurst = 20, 20

	// GuardUnits a second, after GuardBurst at once, is what all processes of one party together may send to all servers of the
	// log together before these shut it out (see bus/embed). A third of it, which is what one of three servers admits, is still
	// what three processes send at their fastest. It is less than a disk writes that syncs every record, and what is
	// sent at once is less than fits into the queue of a stream (see bus/hub): who keeps to it does not fill that.
	GuardUnits, GuardBurst = 1200, 1500
)

// Units returns what so many messages, with so many bytes in all, count.
func Units(messages, bytes int64) int64 { return messages + bytes/UnitBytes }

// Limiter returns a bucket of tokens that fills at a rate of perSecond and holds burst.
func Limiter(perSecond float64, burst int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}
