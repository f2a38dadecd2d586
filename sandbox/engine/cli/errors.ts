/** A failure the user can act on: printed as `error: <message>`, without a stack. */
export class UserError extends Error {
    constructor(
        message: string,
        readonly exitCode = 255,
    ) {
        super(message);
        this.name = "UserError";
    }
}

/** Something the real CLI does and this one does not: never silently ignored. */
export class NotSupportedError extends UserError {
    constructor(what: string) {
        super(`not supported by the stand-in engine: ${what}; install the Pulumi CLI`);
        this.name = "NotSupportedError";
    }
}

/** The operation failed and its diagnostics are printed already: only the exit code is left. */
export class ReportedError extends Error {
    constructor(readonly exitCode = 255) {
        super("update failed");
        this.name = "ReportedError";
    }
}
