package fixed

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pack is Horner's rule with 2^slot, from the last slot to the first.
func pack(l Layout, slots []*big.Int) *big.Int {
	m := new(big.Int)
	for i := len(slots) - 1; i >= 0; i-- {
		m.Lsh(m, uint(l.SlotBits())).Add(m, slots[i])
	}
	return m
}

func TestLayoutOfTheProtocol(t *testing.T) {
	l := Layout{ScoreBits: 32, WeightBits: 40, Steps: 3}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.ScaleBits() != 152 || l.SlotBits() != 168 {
		t.Errorf("scale %d, slot %d bits", l.ScaleBits(), l.SlotBits())
	}
	for modulus, want := range map[int]int{169: 1, 336: 1, 337: 2, 2048: 12, 4096: 24} {
		if got, err := l.PerCiphertext(modulus); err != nil || got != want {
			t.Errorf("%d bits hold %d scores (%v), want %d", modulus, got, err, want)
		}
	}
}

func TestLayoutRefusesParameters(t *testing.T) {
	for _, c := range []struct {
		layout Layout
		names  string
	}{
		{Layout{0, 40, 3}, "score bits"},
		{Layout{65, 40, 3}, "score bits"},
		{Layout{32, 0, 3}, "weight bits"},
		{Layout{32, 63, 3}, "weight bits"},
		{Layout{32, 40, 0}, "iterations"},
		{Layout{32, 40, 1<<20 + 1}, "iterations"},
	} {
		if err := c.layout.Validate(); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v, want an error about %s", c.layout, err, c.names)
		}
		if _, err := c.layout.PerCiphertext(2048); err == nil {
			t.Errorf("%+v: no error from PerCiphertext", c.layout)
		}
	}
}

func TestNoSlotFits(t *testing.T) {
	for _, c := range []struct {
		what    string
		layout  Layout
		modulus int
		advice  string
		better  []Layout // what the advice leads to
	}{
		{"both help", Layout{32, 40, 60}, 2048, "lower weight bits to 33, or iterations times periods to 49, or use a longer key", []Layout{{32, 33, 60}, {32, 40, 49}}},
		{"only fewer steps help", Layout{32, 40, 3000}, 2048, ": lower iterations times periods to 49, or use a longer key", []Layout{{32, 40, 49}}},
		{"only smaller weights help", Layout{32, 62, 3}, 100, ": lower weight bits to 17, or use a longer key", []Layout{{32, 17, 3}}},
		{"nothing but the key helps", Layout{64, 40, 1}, 70, ": use a longer key", nil},
	} {
		_, err := c.layout.PerCiphertext(c.modulus)
		if err == nil || !strings.HasSuffix(err.Error(), c.advice) {
			t.Errorf("%s: %v, want %q", c.what, err, c.advice)
		}
		for _, l := range c.better {
			if n, err := l.PerCiphertext(c.modulus); err != nil || n != 1 {
				t.Errorf("%s: the advice %+v leads to %d, %v", c.what, l, n, err)
			}
		}
	}
}

func TestUnpackReversesPacking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Layout{rapid.IntRange(1, 64).Draw(t, "f"), rapid.IntRange(1, MaxWeightBits).Draw(t, "w"), rapid.IntRange(1, 9).Draw(t, "J")}
		one := new(big.Int).Lsh(big.NewInt(1), uint(l.ScaleBits()))
		slots := make([]*big.Int, rapid.IntRange(0, 12).Draw(t, "n"))
		for i := range slots {
			slots[i] = new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "slot"))
			if slots[i].Cmp(one) > 0 {
				slots[i] = one
			}
		}
		m := pack(l, slots)
		before := new(big.Int).Set(m)
		got, err := l.Unpack(m, len(slots))
		if err != nil {
			t.Fatal(err)
		}
		for i := range slots {
			if got[i].Cmp(slots[i]) != 0 {
				t.Fatalf("slot %d is %v, want %v", i, got[i], slots[i])
			}
		}
		if m.Cmp(before) != 0 {
			t.Fatal("the plaintext was changed")
		}
	})
}

func TestUnpackNamesTheSlot(t *testing.T) {
	l := Layout{32, 40, 3}
	one := new(big.Int).Lsh(big.NewInt(1), uint(l.ScaleBits()))
	above := new(big.Int).Add(one, big.NewInt(1))
	none := new(big.Int)
	for _, c := range []struct {
		what  string
		slots []*big.Int
		count int
		index int
	}{
		{"the first slot", []*big.Int{above, one, one}, 3, 0},
		{"the last slot", []*big.Int{one, none, above}, 3, 2},
		{"a slot more than asked for", []*big.Int{one, none, big.NewInt(1)}, 2, 2},
		{"bits far beyond", []*big.Int{one, none, none, none, one}, 2, 2},
		{"no slots asked for", []*big.Int{one}, 0, 0},
	} {
		_, err := l.Unpack(pack(l, c.slots), c.count)
		slot, ok := errors.AsType[*SlotError](err)
		if !ok || slot.Index != c.index || slot.Count != c.count {
			t.Errorf("%s: %v, want slot %d of %d", c.what, err, c.index, c.count)
		}
	}
	if got := (&SlotError{1, 3}).Error(); !strings.Contains(got, "score 2 of 3") {
		t.Error(got)
	}
	if got := (&SlotError{3, 3}).Error(); !strings.Contains(got, "beyond the last of 3") {
		t.Error(got)
	}
}

// One step of the protocol in the clear: whatever the weights, scores stay between 0 and 1 at the new scale and unpack to what floating point gives.
func TestStepsStayWithinTheScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const f, w = 32, 40
		steps := rapid.IntRange(1, 4).Draw(t, "steps")
		delta := rapid.Float64Range(0, 0.999).Draw(t, "delta")
		scores := make([]*big.Int, rapid.IntRange(1, 5).Draw(t, "accounts"))
		plain := make([]float64, len(scores))
		for i := range scores {
			plain[i] = rapid.Float64Range(0, 1).Draw(t, "score")
			scores[i] = Score(plain[i], f)
		}
		amounts := make([]Amount, len(scores)) // from everybody to everybody
		total := 0.0
		for i := range amounts {
			amounts[i] = drawAmount(t, "amount")
			total += amounts[i].Float()
		}
		weights := Weights(Delta(delta, w), amounts, w)
		for range steps {
			income, plainIncome := new(big.Int), 0.0
			for i, s := range scores {
				income.Add(income, new(big.Int).Mul(s, new(big.Int).SetUint64(weights[1+i])))
				plainIncome += plain[i] * amounts[i].Float() / total
			}
			for i, s := range scores {
				scores[i] = s.Mul(s, new(big.Int).SetUint64(weights[0])).Add(s, income)
				plain[i] = (1-delta)*plain[i] + delta*plainIncome
			}
		}
		l := Layout{f, w, steps}
		got, err := l.Unpack(pack(l, scores), len(scores))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if x := Float(got[i], l.ScaleBits()); x-plain[i] > 1e-9 || plain[i]-x > 1e-9 {
				t.Fatalf("account %d has %v, want %v", i, x, plain[i])
			}
		}
	})
}
