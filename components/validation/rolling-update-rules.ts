import { AUTOSCALING, CANARY_REPLICAS, MAX_SURGE, MAX_UNAVAILABLE, REPLICAS } from "../defaults";
import { Routing, Strategy } from "../plan/types";
import { canaryPods } from "../plan/weights";
import type { Checked } from "./rules";
import { show, type Violation } from "./violation";

/** How a Deployment replaces its pods: it must be able to get on, and must not take all of them away. */
export function rollingUpdateRules(input: Checked): Violation[] {
    const { rollingUpdate = {} } = input;
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
    const smallest = smallestLiveSide(input);
    const all = unavailable.percent
        ? unavailable.value >= 100
        : unavailable.value > 0 && unavailable.value >= smallest;
    if (!all) return [];
    const expected = unavailable.percent
        ? "less than 100%: the live side must never be at zero"
        : `less than ${smallest}, the pods of the smallest live side, which must never be at zero; a percentage is rounded down`;
    return [{ path, got: show(maxUnavailable), expected }];
}

/** Pods that the smallest of the sides with traffic surely has. */
function smallestLiveSide(input: Checked): number {
    const { strategy, routing, canaryWeight = 0, autoscaling } = input;
    const canary = strategy === Strategy.canary;
    const live =
        autoscaling === undefined
            ? (input.replicas ?? (canary ? CANARY_REPLICAS : REPLICAS))
            : (autoscaling.minReplicas ?? AUTOSCALING.minReplicas);
    if (!canary || canaryWeight === 0) return live;
    if (routing !== Routing.service) return Math.max(1, Math.ceil((live * canaryWeight) / 100));
    const pods = canaryPods(live, canaryWeight);
    return Math.min(...[pods, live - pods].filter((size) => size > 0));
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
