package revocationkit

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// latest is the end of the year 9999. A later time is a unit mistaken (milliseconds), or an attack.
const latest = 253_402_300_799

var errUnreadable = errors.New("not of the type expected")

type item = map[string]types.AttributeValue

// Decide answers what a person's tombstone and the pool's have against a token at now (epoch seconds): a code, or "". No I/O, no
// clock. The claims' numbers are json.Number.
func Decide(own, pool item, claims map[string]any, now int64, endDateClaim string) string {
	token, err := stampOf(claims)
	if err != nil {
		return "bad_claims"
	}
	if endDateClaim != "" {
		ended, err := hasEnded(claims, endDateClaim, now)
		if err != nil {
			return "contract_date_unreadable"
		}
		if ended {
			return "contract_ended"
		}
	}
	unreadable := ""
	for _, one := range []item{own, pool} {
		read, err := tombstoneOf(one)
		if err != nil {
			unreadable = "store_unreadable" // Somebody wrote it to refuse something. What the other one says is told first.
			continue
		}
		if code := read.refusal(token, now); code != "" {
			return code
		}
	}
	return unreadable
}

// stamp is the claims that decide. Cognito writes times in whole seconds.
type stamp struct {
	authTime, iat  *int64
	originJTI, jti *string
}

type tombstone struct {
	notBefore, claimsNotBefore, othersNotBefore, holdUntil *int64
	sessions                                               map[string]types.AttributeValue
	othersSpared                                           *string
	hold                                                   bool
}

func (t *tombstone) refusal(token stamp, now int64) string {
	if t.hold && (t.holdUntil == nil || now <= *t.holdUntil) {
		return "on_hold"
	}
	// iat alone lets a refresh get past the cutoff; auth_time alone was reported to change when a session is refreshed.
	oldest := token.authTime
	if oldest == nil || (token.iat != nil && *token.iat < *oldest) {
		oldest = token.iat
	}
	switch {
	case oldest == nil:
		return "undated"
	case t.notBefore != nil && *oldest <= *t.notBefore:
		return "revoked"
	case t.names(token.originJTI), t.names(token.jti):
		return "session_revoked"
	case t.othersNotBefore != nil && *oldest <= *t.othersNotBefore &&
		(token.originJTI == nil || *token.originJTI != *t.othersSpared):
		return "session_revoked"
	case t.claimsNotBefore != nil && (token.iat == nil || *token.iat <= *t.claimsNotBefore):
		return "claims_changed"
	}
	return ""
}

func (t *tombstone) names(id *string) bool {
	if id == nil {
		return false
	}
	_, revoked := t.sessions[*id]
	return revoked
}

// tombstoneOf reads an item. An attribute of another type than expected is an error, never read as harmless.
func tombstoneOf(from item) (*tombstone, error) {
	var failed error
	note := func(err error) { failed = errors.Join(failed, err) }
	number := func(from item, name string) *int64 {
		at, err := seconds(from, name)
		note(err)
		return at
	}
	var read tombstone
	read.notBefore, read.claimsNotBefore = number(from, "not_before"), number(from, "claims_not_before")
	number(from, "expires_at") // Never consulted: DynamoDB deletes late.
	_, err := attribute[*types.AttributeValueMemberBOOL](from, "sealed")
	note(err)
	sessions, err := attribute[*types.AttributeValueMemberM](from, "sessions")
	note(err)
	if sessions != nil {
		read.sessions = sessions.Value
		for id := range sessions.Value {
			number(sessions.Value, id)
		}
	}
	hold, err := attribute[*types.AttributeValueMemberM](from, "hold")
	note(err)
	if hold != nil {
		read.hold, read.holdUntil = true, number(hold.Value, "until")
	}
	read.othersNotBefore = number(from, "others_not_before")
	spared, err := attribute[*types.AttributeValueMemberS](from, "others_spared")
	note(err)
	if spared != nil {
		read.othersSpared = &spared.Value
	}
	if (read.othersNotBefore == nil) != (spared == nil) {
		note(errUnreadable)
	}
	return &read, failed
}

// attribute answers the zero value if there is none of the name.
func attribute[T types.AttributeValue](from item, name string) (T, error) {
	var none T
	value, there := from[name]
	if !there {
		return none, nil
	}
	if typed, ok := value.(T); ok {
		return typed, nil
	}
	return none, errUnreadable
}

func seconds(from item, name string) (*int64, error) {
	value, err := attribute[*types.AttributeValueMemberN](from, name)
	if value == nil || err != nil {
		return nil, err
	}
	at, err := strconv.ParseInt(value.Value, 10, 64)
	return &at, err
}

func stampOf(claims map[string]any) (token stamp, err error) {
	for name, slot := range map[string]**int64{"auth_time": &token.authTime, "iat": &token.iat} {
		// Only absence is nil: null is a wrong type.
		if value, there := claims[name]; there {
			at, ok := asSeconds(value)
			if !ok {
				return token, errUnreadable
			}
			*slot = &at
		}
	}
	for name, slot := range map[string]**string{"origin_jti": &token.originJTI, "jti": &token.jti} {
		if value, there := claims[name]; there {
			text, ok := value.(string)
			if !ok {
				return token, errUnreadable
			}
			*slot = &text
		}
	}
	return token, nil
}

func asSeconds(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	at, err := strconv.ParseInt(number.String(), 10, 64)
	return at, err == nil && at >= 0 && at <= latest
}

func hasEnded(claims map[string]any, name string, now int64) (bool, error) {
	value, there := claims[name]
	if !there {
		return false, nil
	}
	if at, ok := asSeconds(value); ok {
		return now >= at, nil
	}
	text, ok := value.(string)
	if !ok {
		return true, errUnreadable
	}
	end, err := endOf(text)
	return end != nil && now >= *end, err
}

var moment = regexp.MustCompile(
	`^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$`)

// endOf answers the first second in which access has ended; nil: it does not end. A day is good to its end, in UTC.
func endOf(text string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	if strings.Trim(text, "0123456789") == "" {
		at, ok := asSeconds(json.Number(text))
		if !ok {
			return nil, errUnreadable
		}
		return &at, nil
	}
	if len(text) == len(time.DateOnly) {
		day, err := time.Parse(time.DateOnly, text)
		at := day.Unix() + 86_400
		return &at, err
	}
	// By hand, for a leap second's sake. A fraction is dropped: the second in which it lies is the one that counts.
	found := moment.FindStringSubmatch(text)
	if found == nil {
		return nil, errUnreadable
	}
	day, err := time.Parse(time.DateOnly, found[1])
	number := func(at int) int64 { n, _ := strconv.ParseInt(found[at], 10, 64); return n } // Digits, or empty: 0.
	hour, minute, second, hours, minutes := number(2), number(3), number(4), number(6), number(7)
	if err != nil || hour > 23 || minute > 59 || second > 60 || hours > 23 || minutes > 59 {
		return nil, errUnreadable
	}
	offset := hours*3_600 + minutes*60
	if found[5] == "-" {
		offset = -offset
	}
	at := day.Unix() + hour*3_600 + minute*60 + min(second, 59) - offset
	return &at, nil
}
