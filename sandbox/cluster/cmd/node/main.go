// Command node holds the namespaces of the sandbox's node and starts its programs. Its argument is the
// socket that it is asked on.
package main

import (
	"fmt"
	"os"

	"cutover.local/cluster/internal/holder"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s <socket>\n", os.Args[0])
		os.Exit(2)
	}
	if err := holder.Run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
