export type Fields = Record<string, string | number | boolean | undefined>;

/** Structured logs: one JSON object a line. Values are picked by the caller; no object is dumped. */
export interface Logger {
    info(message: string, fields?: Fields): void;
    warn(message: string, fields?: Fields): void;
    error(message: string, fields?: Fields): void;
}

/** @param common fields that every line has, such as the release */
export function jsonLogger(
    common: Fields,
    write: (line: string) => void = (line) => process.stdout.write(line),
): Logger {
    const log = (level: string) => (message: string, fields?: Fields) =>
        write(
            `${JSON.stringify({ time: new Date().toISOString(), level, message, ...common, ...fields })}\n`,
        );
    return { info: log("info"), warn: log("warn"), error: log("error") };
}

/** What may be said of an error: its code and message, never its fields, which can hold settings. */
export function errorFields(error: unknown): Fields {
    if (!(error instanceof Error)) return { error: String(error) };
    const { code } = error as { code?: unknown };
    // A failed connection to a name with several addresses has one error for each and no message.
    const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
    const message = error.message === "" && inner instanceof Error ? inner.message : error.message;
    return { error: message, code: typeof code === "string" ? code : undefined };
}
