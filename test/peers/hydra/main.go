// ORY Hydra, whole and unchanged, as a program of ours to compare with.
package main

import "github.com/ory/hydra/v2/cmd"

func main() {
	cmd.Execute()
}
