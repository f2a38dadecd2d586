/** Exit codes of every command; documented in docs/operations.md. */
export const ExitCode = {
    done: 0,
    failed: 1,
    usage: 2,
    unhealthy: 3,
    locked: 4,
    interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * A failure that the user can understand and act on: printed as one message, never with a stack.
 * Anything else that escapes a command is a bug of ours and is printed whole.
 */
export class CliError extends Error {
    constructor(
        message: string,
        readonly code: ExitCode = ExitCode.failed,
    ) {
        super(message);
        this.name = "CliError";
    }
}
