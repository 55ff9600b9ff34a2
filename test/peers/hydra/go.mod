module hydra

go 1.24.0

require (
	github.com/ory/hydra-client-go/v2 v2.2.1
	github.com/ory/hydra/v2 v2.3.0
)

// As Hydra itself says; the replacements of a dependency do not count.
replace github.com/gobuffalo/pop/v6 => github.com/ory/pop/v6 v6.2.1-0.20241121111754-e5dfc0f3344b
