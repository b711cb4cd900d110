// Package revocationkit says whether a token is good, now: it verifies an Amazon Cognito token and looks for a tombstone, by
// one strongly consistent read. Once a second it also looks whether the whole pool was revoked.
//
// The decision is the Rust library's (shared/core/src/domain/tombstone.rs); tests/kits/vectors.json holds both to it.
package revocationkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	// MaxTokenBytes is the longest token looked at.
	MaxTokenBytes = 16 * 1024
	// attempt: DynamoDB answers in 1 to 3 ms. A lost answer is noticed early, and there is time for one more attempt …
	attempt = 300 * time.Millisecond
	// budget: … after which the request is denied.
	budget = 800 * time.Millisecond
	// poolWithin: what is known of the whole pool is never used for longer than this after its read began …
	poolWithin = time.Second
	// poolAnew: … and read anew from this age on, behind the requests' back.
	poolAnew = 500 * time.Millisecond
	// pause between the attempts; the SDK's own is up to a second and more.
	pause = 25 * time.Millisecond
	// keysTimeout bounds a fetch of keys, keysFloor how often tokens with made-up key ids can cause one.
	keysTimeout = 2 * time.Second
	keysFloor   = 10 * time.Second
	// futureLeeway: a token dated far ahead would be out of reach of every cutoff; a clock a little wrong must not lock
	// everybody out.
	futureLeeway = 300
)

// Denied says why a token is refused, by a code that may be logged. It quotes nothing of the token.
type Denied struct {
	Code  string
	cause error
}

func (d *Denied) Error() string { return d.Code }

// Unwrap answers what the store or the keys' address said, never anything about the token.
func (d *Denied) Unwrap() error { return d.cause }

// Status is 503 where it is not the client's fault: it should try again with the same token.
func (d *Denied) Status() int {
	switch d.Code {
	case "keys_unavailable", "store_unavailable", "store_unreadable", "internal":
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

// Config is of one user pool. TokenUse is "access", "id", or "" for both. EndDateClaim is such as "project_end_date", if the
// deployment's token-gate writes one.
type Config struct {
	UserPoolID   string
	ClientIDs    []string
	Table        string
	TokenUse     string
	EndDateClaim string
	JWKSURL      string // The pool's own if empty.
}

// Store is the part of *dynamodb.Client that is used.
type Store interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Checker holds keys and connections. Make one when the service starts, and keep it.
type Checker struct {
	config  Config
	issuers []string
	keys    jwt.Keyfunc
	store   Store
	parser  *jwt.Parser

	lock    sync.Mutex
	pool    known // What is known of the whole pool.
	reading bool  // Whether it is being read anew.
}

// known is an item, and when the read that found it began.
type known struct {
	began time.Time
	item  item
}

// Permit says that the token may be served. Never remember it: see "No caching" on the page.
type Permit struct {
	Subject string
	Claims  jwt.MapClaims
}

var poolID = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-[0-9])_[0-9A-Za-z]+$`)

// New makes a checker; ctx ends the refreshing of keys. Give it dynamodb.NewFromConfig(cfg, revocationkit.Timeouts).
func New(ctx context.Context, config Config, store Store) (*Checker, error) {
	region := poolID.FindStringSubmatch(config.UserPoolID)
	if region == nil || config.Table == "" || len(config.ClientIDs) == 0 || store == nil {
		return nil, errors.New("UserPoolID, ClientIDs, Table and a store are needed")
	}
	var issuers []string
	for _, host := range []string{"cognito-idp", "issuer-cognito-idp"} {
		issuers = append(issuers, fmt.Sprintf("https://%s.%s.amazonaws.com/%s", host, region[1], config.UserPoolID))
	}
	if config.JWKSURL == "" {
		config.JWKSURL = issuers[0] + "/.well-known/jwks.json"
	}
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{config.JWKSURL}, keyfunc.Override{
		Client:            &http.Client{Timeout: keysTimeout},
		HTTPTimeout:       keysTimeout,
		RateLimitWaitMax:  keysTimeout,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(keysFloor), 1),
	})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithJSONNumber(),
		jwt.WithStrictDecoding())
	return &Checker{config: config, issuers: issuers, keys: keys.Keyfunc, store: store, parser: parser}, nil
}

// Timeouts are options for dynamodb.NewFromConfig.
func Timeouts(options *dynamodb.Options) {
	options.HTTPClient = awshttp.NewBuildableClient().WithTimeout(attempt)
	options.Retryer = retry.NewStandard(func(standard *retry.StandardOptions) {
		standard.MaxAttempts = 2
		standard.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return pause, nil })
	})
}

// Check answers a permit, or an error that is a *Denied.
func (c *Checker) Check(ctx context.Context, token string) (*Permit, error) {
	claims, err := c.verified(token)
	if err != nil {
		return nil, err
	}
	sub, err := subjectOf(claims)
	if err != nil {
		return nil, err
	}
	subject := c.config.UserPoolID + "#" + sub
	// What the token alone decides needs no read.
	if code := Decide(nil, nil, claims, time.Now().Unix(), c.config.EndDateClaim); code != "" {
		return nil, &Denied{Code: code}
	}
	// At once: where the pool's is known already, as it nearly always is, it costs nothing.
	type found struct {
		item item
		err  error
	}
	everyone := make(chan found, 1)
	go func() {
		item, err := c.everyone(ctx)
		everyone <- found{item, err}
	}()
	own, err := c.item(ctx, subject)
	pool := <-everyone
	if err = cmp.Or(err, pool.err); err != nil {
		return nil, err
	}
	if code := Decide(own, pool.item, claims, time.Now().Unix(), c.config.EndDateClaim); code != "" {
		return nil, &Denied{Code: code}
	}
	return &Permit{Subject: subject, Claims: claims}, nil
}

func (c *Checker) verified(token string) (jwt.MapClaims, error) {
	if token == "" {
		return nil, &Denied{Code: "no_token"}
	}
	if len(token) > MaxTokenBytes {
		return nil, &Denied{Code: "too_long"}
	}
	claims := jwt.MapClaims{}
	var noKey error
	_, err := c.parser.ParseWithClaims(token, claims, func(parsed *jwt.Token) (any, error) {
		// Without a key id, keyfunc would try every key.
		if kid, ok := parsed.Header["kid"].(string); !ok || kid == "" {
			return nil, &Denied{Code: "bad_key_id"}
		}
		key, err := c.keys(parsed)
		noKey = err
		return key, err
	})
	// The library's messages quote the token, hence no cause of them.
	switch {
	case err == nil:
		return claims, c.checkClaims(claims, time.Now().Unix())
	case noKey != nil:
		// keyfunc does not tell an unknown key from one that could not be fetched.
		return nil, &Denied{Code: "keys_unavailable"}
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, &Denied{Code: "expired"}
	}
	return nil, &Denied{Code: "invalid_token"}
}

func (c *Checker) checkClaims(claims jwt.MapClaims, now int64) error {
	iss, _ := claims["iss"].(string)
	use, _ := claims["token_use"].(string)
	client, _ := claims[map[string]string{"access": "client_id", "id": "aud"}[use]].(string)
	exp, expIsRight := asSeconds(claims["exp"])
	switch {
	case !slices.Contains(c.issuers, iss):
		return &Denied{Code: "unknown_issuer"}
	case !expIsRight:
		return &Denied{Code: "bad_claims"}
	case exp <= now:
		return &Denied{Code: "expired"}
	case use != "access" && use != "id", c.config.TokenUse != "" && use != c.config.TokenUse:
		return &Denied{Code: "token_use_refused"}
	case !slices.Contains(c.config.ClientIDs, client):
		return &Denied{Code: "client_refused"}
	}
	for _, name := range []string{"iat", "auth_time"} {
		if at, ok := asSeconds(claims[name]); ok && at > now+futureLeeway {
			return &Denied{Code: "from_the_future"}
		}
	}
	return nil
}

// subjectOf: `#` and `*` have a meaning of their own in the keys of the table.
func subjectOf(claims jwt.MapClaims) (string, error) {
	sub, _ := claims["sub"].(string)
	odd := func(r rune) bool { return r < '!' || r > '~' || r == '#' || r == '*' }
	if sub == "" || len(sub) > 128 || strings.ContainsFunc(sub, odd) {
		return "", &Denied{Code: "bad_claims"}
	}
	return sub, nil
}

// everyone answers the item of everybody in the pool, as it stood within the last second.
func (c *Checker) everyone(ctx context.Context) (item, error) {
	c.lock.Lock()
	pool, age := c.pool, ageOf(c.pool.began)
	anew := age >= poolAnew && age < poolWithin && !c.reading
	c.reading = c.reading || anew
	c.lock.Unlock()
	if age >= poolWithin {
		return c.readEveryone(ctx)
	}
	if anew {
		go func() {
			// A failure leaves what is known, until it is too old.
			_, _ = c.readEveryone(context.WithoutCancel(ctx))
			c.lock.Lock()
			c.reading = false
			c.lock.Unlock()
		}()
	}
	return pool.item, nil
}

func (c *Checker) readEveryone(ctx context.Context) (item, error) {
	began := time.Now()
	read, err := c.item(ctx, c.config.UserPoolID+"#*")
	if err != nil {
		return nil, err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.pool.began.Before(began) {
		c.pool = known{began, read}
	}
	return read, nil
}

// ageOf tells by both clocks: the monotonic one may stand still while the process is frozen. Set back, nobody knows.
func ageOf(began time.Time) time.Duration {
	byWall := time.Now().Round(0).Sub(began.Round(0))
	if began.IsZero() || byWall < 0 {
		return poolWithin
	}
	return max(byWall, time.Since(began))
}

func (c *Checker) item(ctx context.Context, subject string) (map[string]types.AttributeValue, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	answer, err := c.store.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(c.config.Table),
		Key:       map[string]types.AttributeValue{"subject": &types.AttributeValueMemberS{Value: subject}},
		// An eventually consistent read may miss a tombstone written a moment ago: the very one that matters.
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, &Denied{Code: "store_unavailable", cause: err}
	}
	return answer.Item, nil
}

type permitKey struct{}

// PermitOf answers the permit of a request behind Require.
func PermitOf(ctx context.Context) (*Permit, bool) {
	permit, ok := ctx.Value(permitKey{}).(*Permit)
	return permit, ok
}

// Require lets requests with a good token through.
func (c *Checker) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		permit, err := c.Check(r.Context(), bearer(r.Header.Values("Authorization")))
		if err != nil {
			deny(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), permitKey{}, permit)))
	})
}

// bearer answers the token of the one `Authorization: Bearer …` header, or nothing.
func bearer(values []string) string {
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(token, " \t,") {
		return ""
	}
	return token
}

func deny(w http.ResponseWriter, err error) {
	denied := &Denied{Code: "internal"}
	errors.As(err, &denied)
	header, summary := w.Header(), "invalid_token"
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	switch {
	case denied.Status() == http.StatusServiceUnavailable:
		slog.Warn("token could not be checked", "reason", denied.Code, "cause", denied.cause)
		header.Set("Retry-After", "1")
		summary = "temporarily_unavailable"
	case denied.Code == "no_token":
		header.Set("WWW-Authenticate", "Bearer")
	default:
		header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	w.WriteHeader(denied.Status())
	fmt.Fprintf(w, `{"error":%q,"reason":%q}`, summary, denied.Code)
}
