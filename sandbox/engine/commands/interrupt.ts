/** Exit code of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * The first SIGINT or SIGTERM asks for a graceful end: what runs may finish, and the state is
 * written. The second one ends at once; the state then says what was in flight.
 */
export function onInterrupt(cancel: () => void): () => void {
    let asked = false;
    const listener = (): void => {
        if (asked) process.exit(INTERRUPTED);
        asked = true;
        process.stderr.write(
            "^C received; cancelling. If you would like to terminate immediately, press ^C again.\n",
        );
        cancel();
    };
    process.on("SIGINT", listener);
    process.on("SIGTERM", listener);
    return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
    };
}
