package holder

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const eventually = 10 * time.Second

func TestRunStartsProgramsAndReapsWhatTheyLeaveBehind(t *testing.T) {
	dir := t.TempDir()
	socket, log := filepath.Join(dir, "s"), filepath.Join(dir, "log")
	ended := make(chan error, 1)
	go func() { ended <- Run(socket) }()
	until(t, "the socket", func() bool { _, err := os.Stat(socket); return err == nil })

	// The orphan's parent ends at once, as containerd's helper does that starts a shim.
	script := `(echo orphan $BASHPID >&2; exec sleep 0.3) & echo "$GREETING"`
	started := ask(t, socket, request{
		Argv: []string{"bash", "-c", script},
		Env:  []string{"GREETING=hello", "PATH=" + os.Getenv("PATH")},
		Log:  log,
	})
	if started.Error != "" || started.Pid == 0 {
		t.Fatalf("got %+v", started)
	}
	var orphan int
	until(t, "both lines", func() bool {
		text, _ := os.ReadFile(log)
		for _, line := range strings.Split(string(text), "\n") {
			_, _ = fmt.Sscanf(line, "orphan %d", &orphan)
		}
		return orphan != 0 && strings.Contains(string(text), "hello\n")
	})
	until(t, "the program is reaped", func() bool { return !exists(started.Pid) })
	if got, want := parent(t, orphan), os.Getpid(); got != want {
		t.Errorf("the orphan's parent is %d, want the holder, %d", got, want)
	}
	until(t, "the orphan is reaped", func() bool { return !exists(orphan) })

	if got := ask(t, socket, request{Argv: []string{"no-such-program"}, Log: log}); got.Error == "" {
		t.Errorf("a program that is not there: got %+v", got)
	}
	if got := ask(t, socket, request{}); got.Error != "argv is empty" {
		t.Errorf("no program: got %+v", got)
	}

	last := ask(t, socket, request{Argv: []string{"sleep", "0.3"}, Log: log})
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil || exists(last.Pid) {
			t.Errorf("ended with %v, and its last child is there: %t", err, exists(last.Pid))
		}
	case <-time.After(eventually):
		t.Error("it does not end")
	}
}

func ask(t *testing.T, socket string, asked request) reply {
	t.Helper()
	connection, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	var said reply
	if err := json.NewEncoder(connection).Encode(asked); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(connection).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(eventually); !holds(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", eventually, what)
		}
	}
}

// exists is true of a process that has ended too, as long as nobody has taken note.
func exists(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}

func parent(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var found int
	for _, line := range strings.Split(string(status), "\n") {
		_, _ = fmt.Sscanf(line, "PPid:\t%d", &found)
	}
	return found
}
