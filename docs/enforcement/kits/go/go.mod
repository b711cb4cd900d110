// Minimum versions, those the kit was compiled and tested with. `go get -u ./... && go mod tidy` takes the current ones.
module revocationkit

go 1.24

require (
	github.com/MicahParks/keyfunc/v3 v3.7.0
	github.com/aws/aws-sdk-go-v2 v1.17.1
	github.com/aws/aws-sdk-go-v2/service/dynamodb v1.17.3
	github.com/golang-jwt/jwt/v5 v5.3.1
	golang.org/x/time v0.9.0
)
