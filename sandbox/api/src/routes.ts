import type { Answer } from "./app";

export interface RouteDefinition {
    /** `operational` routes are for machines: neither counted, nor broken on purpose, nor measured. */
    kind: "endpoint" | "operational";
    answer: (params: Record<string, string>, template: string) => Promise<Answer>;
}

/** Routes by template; `:name` stands for one segment of a path. Every route answers GET and HEAD. */
export type RouteTable = Record<string, RouteDefinition>;

export interface Match {
    /** Undefined when no route has this path. */
    template: string | undefined;
    kind: "endpoint" | "operational" | "none";
    /** Whether the method is one that routes know. */
    allowed: boolean;
    answer(): Promise<Answer>;
}

const METHODS = ["GET", "HEAD"];

/** Finds the route of a request; a request without one gets the 404, 405 or 400 it deserves. */
export function matchRoute(routes: RouteTable, method: string, url: string): Match {
    const allowed = METHODS.includes(method);
    const path = url.split("?", 1)[0] ?? "";
    for (const [template, { kind, answer }] of Object.entries(routes)) {
        const raw = matchTemplate(template, path);
        if (raw === undefined) continue;
        const params = decode(raw);
        if (!allowed) {
            const headers = { allow: METHODS.join(", ") };
            return refusal(template, allowed, 405, "method not allowed", headers);
        }
        if (params === undefined) return refusal(template, allowed, 400, "malformed path");
        return { template, kind, allowed, answer: () => answer(params, template) };
    }
    return refusal(undefined, allowed, 404, "not found");
}

function matchTemplate(template: string, path: string): Record<string, string> | undefined {
    const expected = template.split("/");
    const actual = path.split("/");
    if (expected.length !== actual.length) return undefined;
    const params: Record<string, string> = {};
    for (const [index, segment] of expected.entries()) {
        const value = actual[index] ?? "";
        if (segment.startsWith(":") && value !== "") params[segment.slice(1)] = value;
        else if (segment !== value) return undefined;
    }
    return params;
}

function decode(params: Record<string, string>): Record<string, string> | undefined {
    try {
        return Object.fromEntries(
            Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]),
        );
    } catch {
        return undefined;
    }
}

function refusal(
    template: string | undefined,
    allowed: boolean,
    status: number,
    error: string,
    headers?: Record<string, string>,
): Match {
    const answer = async () => ({ status, body: { error }, headers });
    return { template, kind: "none", allowed, answer };
}
