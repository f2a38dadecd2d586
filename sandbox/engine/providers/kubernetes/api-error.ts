import type { Inputs, Json } from "../types";
import { integer, isMap, maps, text } from "./objects";

/** The API server answered with a Status: its message, and what can be decided upon. */
export class ApiError extends Error {
    readonly code: number;
    readonly reason: string;
    readonly status: Inputs;

    constructor(code: number, status: Inputs) {
        super(text(status, "message") || `the API server answered ${code}`);
        this.name = "ApiError";
        this.code = code;
        this.reason = text(status, "reason");
        this.status = status;
    }

    static is(error: unknown, reason: string): error is ApiError {
        return error instanceof ApiError && error.reason === reason;
    }

    /** The namespace an object should go to does not exist (yet). */
    static isNamespaceMissing(error: unknown): boolean {
        return (
            ApiError.is(error, "NotFound") && text(error.status, "details", "kind") === "namespaces"
        );
    }

    /** The fields at fault, for messages. */
    get causes(): string[] {
        return maps(this.status, "details", "causes").map((cause) => text(cause, "field"));
    }
}

/** No answer from the API server: refused, reset, timed out, or TLS failed. */
export class ConnectionError extends Error {
    override readonly name = "ConnectionError";
}

/** The Status of an answer that is an error. */
export function errorStatus(body: string, code: number): Inputs {
    try {
        const value = JSON.parse(body) as Json;
        if (isMap(value) && integer(value, "code") !== undefined) return value;
    } catch {
        // A proxy's or the TLS layer's plain-text answer.
    }
    const excerpt = body.trim().slice(0, 300);
    return { message: excerpt === "" ? `the API server answered ${code}` : excerpt, code };
}
