/** The real CLI's exit codes, as far as they occur here. */
export const Exit = {
    done: 0,
    failed: 1,
    usage: 2,
    stackNotFound: 6,
    changesNotExpected: 7,
    cancelled: 8,
    /** A bug of the engine's own. */
    internal: 255,
} as const;

/** A failure the user can act on: printed as `error: <message>`, without a stack. */
export class UserError extends Error {
    constructor(
        message: string,
        readonly exitCode: number = Exit.failed,
    ) {
        super(message);
        this.name = "UserError";
    }
}

/** Something the real CLI does and this one does not: never silently ignored. */
export class NotSupportedError extends UserError {
    constructor(what: string) {
        super(`not supported by the stand-in engine: ${what}; install the Pulumi CLI`, Exit.usage);
        this.name = "NotSupportedError";
    }
}

/** The operation failed and its diagnostics are printed already: only the exit code is left. */
export class ReportedError extends Error {
    constructor(readonly exitCode: number = Exit.failed) {
        super("update failed");
        this.name = "ReportedError";
    }
}
