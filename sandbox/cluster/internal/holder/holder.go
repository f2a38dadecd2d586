// Package holder is the process that holds a node's namespaces. It starts the node's programs, so that
// they and whatever they leave behind (containerd's shims have no parent) end up as its children: it
// takes note of each that ends, whether the machine's first process would do so or not.
package holder

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// request asks for a program to be started. One JSON object per connection, one reply.
type request struct {
	// Argv is the program, looked up on the PATH, and its arguments.
	Argv []string `json:"argv"`
	// Env is the whole environment, as NAME=value.
	Env []string `json:"env"`
	// Log is the file that standard output and error are appended to.
	Log string `json:"log"`
}

type reply struct {
	Pid   int    `json:"pid,omitempty"`
	Error string `json:"error,omitempty"`
}

const (
	requestTimeout = 10 * time.Second
	lastTimeout    = 10 * time.Second
	pollEvery      = 10 * time.Millisecond
)

// Run serves requests on a Unix socket until it is told to end. It then waits for its children, which
// whoever ends it has ended before.
func Run(socket string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot adopt processes: %w", err)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	go serve(listener)
	for received := range signals {
		reap()
		if received != syscall.SIGCHLD {
			break
		}
	}
	for deadline := time.Now().Add(lastTimeout); reap() && time.Now().Before(deadline); {
		time.Sleep(pollEvery)
	}
	return nil
}

// listen appears under its name only when it answers.
func listen(socket string) (net.Listener, error) {
	unfinished := socket + ".new"
	for _, stale := range []string{socket, unfinished} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", unfinished)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(unfinished, 0o600); err != nil {
		return nil, err
	}
	return listener, os.Rename(unfinished, socket)
}

func serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		answer(connection)
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return
	}
	var asked request
	var said reply
	err := json.NewDecoder(connection).Decode(&asked)
	if err == nil {
		said.Pid, err = start(asked)
	}
	if err != nil {
		said.Error = err.Error()
	}
	// Whoever asked may be gone; what it asked for runs all the same, and is found by its group.
	_ = json.NewEncoder(connection).Encode(said)
}

// start does not use exec.Cmd, which wants to wait for its process itself.
func start(asked request) (int, error) {
	if len(asked.Argv) == 0 {
		return 0, errors.New("argv is empty")
	}
	program, err := exec.LookPath(asked.Argv[0])
	if err != nil {
		return 0, err
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer nothing.Close()
	log, err := os.OpenFile(asked.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	return syscall.ForkExec(program, asked.Argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   asked.Env,
		Files: []uintptr{nothing.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// reap takes note of every child that has ended, and tells whether any is left.
func reap() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return false
		case pid == 0:
			return true
		}
	}
}
