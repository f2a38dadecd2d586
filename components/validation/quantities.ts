import { RESOURCES } from "../defaults";
import { pathOf, show, type Violation } from "./violation";

/** What one unit of each suffix is worth. */
const UNITS: Record<string, number> = {
    m: 1e-3,
    "": 1,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    E: 1e18,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
    Ei: 2 ** 60,
};

export interface CheckedResources {
    requests?: Record<string, unknown>;
    limits?: Record<string, unknown>;
}

/** Requests and limits: quantities, and no request above its limit, defaults included. */
export function resourceRules(path: string, own: CheckedResources = {}): Violation[] {
    const resources = {
        requests: own.requests ?? RESOURCES.requests,
        limits: own.limits ?? RESOURCES.limits,
    };
    const malformed = (["requests", "limits"] as const).flatMap((part) =>
        Object.entries(resources[part])
            .filter(([, value]) => typeof value === "string" && amountOf(value) === undefined)
            .map(([name, value]) => ({
                path: pathOf([...path.split("."), part, name]),
                got: show(value),
                expected: `a quantity like "250m", "1", "128Mi" or "1Gi"`,
            })),
    );
    if (malformed.length > 0) return malformed;
    const limits: Record<string, unknown> = resources.limits;
    return Object.entries(resources.requests).flatMap(([name, request]): Violation[] => {
        const [least, most] = [amountOf(request), amountOf(limits[name])];
        if (least === undefined || most === undefined || least <= most) return [];
        const expected = `at most the limit of ${name} (${String(limits[name])})`;
        const found = pathOf([...path.split("."), "requests", name]);
        return [{ path: found, got: show(request), expected }];
    });
}

/** A quantity as a number; undefined when it is none, or not known yet. */
function amountOf(value: unknown): number | undefined {
    if (typeof value !== "string") return undefined;
    const [, amount, suffix = ""] = /^(\d+(?:\.\d+)?)([mkMGTPE]|[KMGTPE]i)?$/.exec(value) ?? [];
    const unit = UNITS[suffix];
    return amount === undefined || unit === undefined ? undefined : Number(amount) * unit;
}
