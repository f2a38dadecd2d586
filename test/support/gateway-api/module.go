// Package gatewayapi pins the Gateway API whose CRDs the tests install: they are read from the module's
// folder in Go's module cache, which go.sum vouches for.
package gatewayapi

import _ "sigs.k8s.io/gateway-api/pkg/consts"
