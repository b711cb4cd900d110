package revocationkit

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/golang-jwt/jwt/v5"
)

const pool, client = "eu-central-1_Kit", "app"

type fakeStore struct {
	item, pool item
	err        error
	key        string
	ofPool     atomic.Int32
}

func (s *fakeStore) GetItem(_ context.Context, ask *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	key := ask.Key["subject"].(*types.AttributeValueMemberS).Value
	if !aws.ToBool(ask.ConsistentRead) {
		return nil, errors.New("not a strongly consistent read")
	}
	if key == pool+"#*" {
		s.ofPool.Add(1)
		return &dynamodb.GetItemOutput{Item: s.pool}, s.err
	}
	s.key = key
	return &dynamodb.GetItemOutput{Item: s.item}, s.err
}

func claimsNow() jwt.MapClaims {
	now := time.Now().Unix()
	return jwt.MapClaims{
		"iss": "https://cognito-idp.eu-central-1.amazonaws.com/" + pool, "sub": "s-1", "token_use": "access", "client_id": client,
		"exp": now + 300, "iat": now, "auth_time": now,
	}
}

func signed(t *testing.T, key any, method jwt.SigningMethod, change func(jwt.MapClaims)) string {
	claims := claimsNow()
	if change != nil {
		change(claims)
	}
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = "k1"
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func checker(t *testing.T, key *rsa.PrivateKey, store Store) *Checker {
	encode := base64.RawURLEncoding.EncodeToString
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k1","n":%q,"e":%q}]}`,
			encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes()))
	}))
	t.Cleanup(keys.Close)
	config := Config{UserPoolID: pool, ClientIDs: []string{client}, Table: "tombstones", TokenUse: "access", JWKSURL: keys.URL}
	made, err := New(t.Context(), config, store)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestAnswersOverHTTP(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rs := jwt.SigningMethodRS256
	good := signed(t, key, rs, nil)
	set := func(name string, value any) string {
		return signed(t, key, rs, func(claims jwt.MapClaims) { claims[name] = value })
	}
	now := time.Now().Unix()
	cutoff := item{"not_before": &types.AttributeValueMemberN{Value: strconv.FormatInt(now, 10)}}
	for _, one := range []struct {
		name, header string
		store        *fakeStore
		status       int
		reason       string
	}{
		{"good", "Bearer " + good, &fakeStore{}, 200, ""},
		{"no token", "", &fakeStore{}, 401, "no_token"},
		{"revoked", "Bearer " + good, &fakeStore{item: cutoff}, 401, "revoked"},
		{"everybody revoked", "Bearer " + good, &fakeStore{pool: cutoff}, 401, "revoked"},
		{"store down", "Bearer " + good, &fakeStore{err: errors.New("down")}, 503, "store_unavailable"},
		{"garbage", "Bearer a.b.c", &fakeStore{}, 401, "invalid_token"},
		{"too long", "Bearer " + strings.Repeat("a", MaxTokenBytes+1), &fakeStore{}, 401, "too_long"},
		{"signed by a stranger", "Bearer " + signed(t, stranger, rs, nil), &fakeStore{}, 401, "invalid_token"},
		{"RS512", "Bearer " + signed(t, key, jwt.SigningMethodRS512, nil), &fakeStore{}, 401, "invalid_token"},
		{"no algorithm", "Bearer " + signed(t, jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, nil), &fakeStore{}, 401, "invalid_token"},
		{"expired", "Bearer " + set("exp", now-1), &fakeStore{}, 401, "expired"},
		{"another issuer", "Bearer " + set("iss", "https://example.com"), &fakeStore{}, 401, "unknown_issuer"},
		{"the updated issuer", "Bearer " + set("iss", "https://issuer-cognito-idp.eu-central-1.amazonaws.com/"+pool), &fakeStore{}, 200, ""},
		{"an ID token", "Bearer " + set("token_use", "id"), &fakeStore{}, 401, "token_use_refused"},
		{"another client", "Bearer " + set("client_id", "other"), &fakeStore{}, 401, "client_refused"},
		{"from the future", "Bearer " + set("iat", now+3600), &fakeStore{}, 401, "from_the_future"},
		{"a sub that means another key", "Bearer " + set("sub", "*#"), &fakeStore{}, 401, "bad_claims"},
	} {
		t.Run(one.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			if one.header != "" {
				request.Header.Set("Authorization", one.header)
			}
			answer := httptest.NewRecorder()
			guarded := checker(t, key, one.store).Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if permit, ok := PermitOf(r.Context()); !ok || permit.Subject != pool+"#s-1" || one.store.key != permit.Subject {
					t.Errorf("no permit, or another subject: %v", one.store.key)
				}
			}))
			guarded.ServeHTTP(answer, request)
			var body struct{ Reason string }
			_ = json.Unmarshal(answer.Body.Bytes(), &body)
			if answer.Code != one.status || body.Reason != one.reason {
				t.Errorf("%d %s, not %d %s", answer.Code, body.Reason, one.status, one.reason)
			}
		})
	}
}

func TestAStoreThatHangsIsDeniedWithinTheBudget(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	store := dynamodb.New(dynamodb.Options{
		Region: "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		EndpointResolver: dynamodb.EndpointResolverFromURL(server.URL),
	}, Timeouts)
	start := time.Now()
	_, err := (&Checker{store: store}).item(t.Context(), "pool#sub")
	var denied *Denied
	if !errors.As(err, &denied) || denied.Code != "store_unavailable" {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	t.Logf("took %v", time.Since(start))
}

func TestThePoolCostsNoReadWithEachRequest(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	store := &fakeStore{}
	made, good, began := checker(t, key, store), signed(t, key, jwt.SigningMethodRS256, nil), time.Now()
	for range 200 {
		if _, err := made.Check(t.Context(), good); err != nil {
			t.Fatal(err)
		}
	}
	if reads, most := store.ofPool.Load(), int32(1+time.Since(began)/poolAnew); reads < 1 || reads > most {
		t.Errorf("%d reads of the pool's item in %v", reads, time.Since(began))
	}
	made.pool.began, store.err = time.Now().Add(-poolWithin), errors.New("down")
	if _, err := made.everyone(t.Context()); err == nil {
		t.Error("what is a second old was used")
	}
}
