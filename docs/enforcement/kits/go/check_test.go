package revocationkit

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The cases that every language must decide alike.
const vectors = "../../../../tests/kits/vectors.json"

type testCase struct {
	Name         string
	Item         map[string]json.RawMessage
	Pool         map[string]json.RawMessage
	Claims       map[string]any
	Now          json.Number
	EndDateClaim string `json:"end_date_claim"`
	Expect       string
}

func TestDecidesAsEveryOtherLanguage(t *testing.T) {
	file, err := os.Open(vectors)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	var all struct{ Cases []testCase }
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all.Cases) < 40 {
		t.Fatalf("only %d cases", len(all.Cases))
	}
	for _, one := range all.Cases {
		t.Run(one.Name, func(t *testing.T) {
			now, err := one.Now.Int64()
			if err != nil {
				t.Fatal(err)
			}
			code := Decide(itemOf(t, one.Item), itemOf(t, one.Pool), one.Claims, now, one.EndDateClaim)
			if code == "" {
				code = "permit"
			}
			if code != one.Expect {
				t.Errorf("%s, not %s", code, one.Expect)
			}
		})
	}
}

func itemOf(t *testing.T, from map[string]json.RawMessage) item {
	if from == nil {
		return nil
	}
	read := item{}
	for name, value := range from {
		read[name] = valueOf(t, value)
	}
	return read
}

// valueOf reads DynamoDB JSON as the SDK does.
func valueOf(t *testing.T, from json.RawMessage) types.AttributeValue {
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(from, &typed); err != nil || len(typed) != 1 {
		t.Fatalf("not DynamoDB JSON: %s", from)
	}
	for kind, raw := range typed {
		switch kind {
		case "N":
			return &types.AttributeValueMemberN{Value: as[string](t, raw)}
		case "S":
			return &types.AttributeValueMemberS{Value: as[string](t, raw)}
		case "BOOL":
			return &types.AttributeValueMemberBOOL{Value: as[bool](t, raw)}
		case "NULL":
			return &types.AttributeValueMemberNULL{Value: as[bool](t, raw)}
		case "SS":
			return &types.AttributeValueMemberSS{Value: as[[]string](t, raw)}
		case "L":
			return &types.AttributeValueMemberL{}
		case "M":
			return &types.AttributeValueMemberM{Value: itemOf(t, as[map[string]json.RawMessage](t, raw))}
		}
	}
	t.Fatalf("no such type: %s", from)
	return nil
}

func as[T any](t *testing.T, raw json.RawMessage) (value T) {
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}
