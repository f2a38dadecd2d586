import { wholeNumber } from "./numbers";
import { show, type Violation } from "./violation";

/** A probe; what is not known yet (an output) is not checked. */
export interface CheckedProbe {
    path?: unknown;
    initialDelaySeconds?: unknown;
    periodSeconds?: unknown;
    timeoutSeconds?: unknown;
    successThreshold?: unknown;
    failureThreshold?: unknown;
}

export interface CheckedProbes {
    startup?: CheckedProbe;
    readiness?: CheckedProbe;
    liveness?: CheckedProbe;
}

/** The least that Kubernetes takes of each number. */
const LEAST = {
    initialDelaySeconds: 0,
    periodSeconds: 1,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 1,
} as const;

export function probeRules(probes: CheckedProbes = {}): Violation[] {
    return (["startup", "readiness", "liveness"] as const).flatMap((name) => {
        const probe = probes[name] ?? {};
        const path = `api.probes.${name}`;
        return [
            ...requestPath(`${path}.path`, probe.path),
            ...(Object.keys(LEAST) as (keyof typeof LEAST)[]).flatMap((key) =>
                wholeNumber(`${path}.${key}`, known(probe[key]), LEAST[key]),
            ),
            ...(name === "readiness" ? [] : oneSuccess(path, known(probe.successThreshold))),
        ];
    });
}

function requestPath(path: string, value: unknown): Violation[] {
    if (typeof value !== "string" || /^\/\S*$/.test(value)) return [];
    return [{ path, got: show(value), expected: `a path that begins with "/"` }];
}

function oneSuccess(probe: string, value: number | undefined): Violation[] {
    if (value === undefined || value <= 1) return [];
    const expected = "1: Kubernetes allows more for readiness alone";
    return [{ path: `${probe}.successThreshold`, got: show(value), expected }];
}

const known = (value: unknown): number | undefined =>
    typeof value === "number" ? value : undefined;
