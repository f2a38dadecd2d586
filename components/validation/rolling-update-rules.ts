import { MAX_SURGE, MAX_UNAVAILABLE } from "../defaults";
import type { Checked } from "./rules";
import { show, type Violation } from "./violation";

/** How a Deployment replaces its pods: it must be able to get on, and must not take all of them away. */
export function rollingUpdateRules({ rollingUpdate = {}, replicas }: Checked): Violation[] {
    const { maxSurge = MAX_SURGE, maxUnavailable = MAX_UNAVAILABLE } = rollingUpdate;
    const amounts = { maxSurge, maxUnavailable };
    const malformed = (["maxSurge", "maxUnavailable"] as const)
        .filter((key) => amountOf(amounts[key]) === undefined)
        .map((key) => ({
            path: `rollingUpdate.${key}`,
            got: show(amounts[key]),
            expected: `a whole number of pods, or a percentage like "25%"`,
        }));
    if (malformed.length > 0) return malformed;
    const surge = amountOf(maxSurge) as Amount;
    const unavailable = amountOf(maxUnavailable) as Amount;
    const path = "rollingUpdate.maxUnavailable";
    if (surge.value === 0 && unavailable.value === 0) {
        const expected = "more than 0 while rollingUpdate.maxSurge is 0: no pod could be replaced";
        return [{ path, got: show(maxUnavailable), expected }];
    }
    const all = unavailable.percent
        ? unavailable.value >= 100
        : replicas !== undefined && unavailable.value > 0 && unavailable.value >= replicas;
    if (!all) return [];
    const expected = unavailable.percent
        ? "less than 100%: the live side must never be at zero"
        : `fewer than replicas (${replicas}): the live side must never be at zero`;
    return [{ path, got: show(maxUnavailable), expected }];
}

interface Amount {
    value: number;
    percent: boolean;
}

function amountOf(amount: string): Amount | undefined {
    const [, digits, percent] = /^(\d{1,4})(%?)$/.exec(amount) ?? [];
    if (digits === undefined || (percent === "%" && Number(digits) > 100)) return undefined;
    return { value: Number(digits), percent: percent === "%" };
}
