import { show, type Violation } from "./violation";
import { PRE_STOP_SLEEP_SECONDS, TERMINATION_GRACE_PERIOD_SECONDS } from "../defaults";

/** The parts of an API's settings that rules look at; `undefined` is the default. */
export interface CheckedApi {
    port?: number;
    lifecycle?: { preStopSleepSeconds?: number; terminationGracePeriodSeconds?: number };
    maxConnectionAgeSeconds?: number;
}

/** Every violation in an API's settings. Ports below 1024 cannot be bound by a user that is not root. */
export function apiRules(api: CheckedApi = {}): Violation[] {
    const { port, lifecycle = {}, maxConnectionAgeSeconds } = api;
    const sleep = lifecycle.preStopSleepSeconds ?? PRE_STOP_SLEEP_SECONDS;
    const grace = lifecycle.terminationGracePeriodSeconds ?? TERMINATION_GRACE_PERIOD_SECONDS;
    const found: Violation[] = [
        ...between("api.port", port, 1024, 65535),
        ...between("api.maxConnectionAgeSeconds", maxConnectionAgeSeconds, 0, 86_400),
        ...between("api.lifecycle.preStopSleepSeconds", sleep, 0, 3600),
    ];
    if (!Number.isInteger(grace) || grace <= sleep) {
        found.push({
            path: "api.lifecycle.terminationGracePeriodSeconds",
            got: show(grace),
            expected: `a whole number greater than api.lifecycle.preStopSleepSeconds (${sleep}), which is part of it`,
        });
    }
    return found;
}

function between(
    path: string,
    value: number | undefined,
    least: number,
    most: number,
): Violation[] {
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) {
        return [];
    }
    return [{ path, got: show(value), expected: `a whole number from ${least} to ${most}` }];
}
