import {
    PRE_STOP_SLEEP_SECONDS,
    PROGRESS_DEADLINE_SECONDS,
    TERMINATION_GRACE_PERIOD_SECONDS,
} from "../defaults";
import { wrongKeys, wrongLabelKeys, wrongLabels, wrongObjectName } from "./names";
import { nodeRules, type CheckedNodes } from "./node-rules";
import { wholeNumber, wholeNumberBetween } from "./numbers";
import { probeRules, type CheckedProbes } from "./probe-rules";
import { resourceRules, type CheckedResources } from "./quantities";
import { show, type Violation } from "./violation";

/**
 * The parts of an API's settings that rules look at; `undefined` is the default, and what is not
 * known yet (an output) is not checked.
 */
export interface CheckedApi extends CheckedNodes {
    port?: number;
    probes?: CheckedProbes;
    resources?: CheckedResources;
    lifecycle?: { preStopSleepSeconds?: number; terminationGracePeriodSeconds?: number };
    maxConnectionAgeSeconds?: number;
    env?: Record<string, unknown>;
    labels?: Record<string, unknown>;
    annotations?: Record<string, unknown>;
    imagePullSecrets?: readonly unknown[];
    priorityClassName?: unknown;
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
}

/** Every violation in an API's settings. Ports below 1024 cannot be bound by a user that is not root. */
export function apiRules(api: CheckedApi = {}): Violation[] {
    const { port, maxConnectionAgeSeconds, minReadySeconds, revisionHistoryLimit } = api;
    return [
        ...wholeNumberBetween("api.port", port, 1024, 65535),
        ...wholeNumberBetween("api.maxConnectionAgeSeconds", maxConnectionAgeSeconds, 0, 86_400),
        ...lifecycleRules(api.lifecycle),
        ...probeRules(api.probes),
        ...resourceRules("api.resources", api.resources),
        ...wrongKeys("api.env", api.env, /^[A-Za-z_][A-Za-z0-9_]*$/, "a name like LOG_LEVEL"),
        ...wrongLabels("api.labels", api.labels),
        ...wrongLabelKeys("api.annotations", api.annotations),
        ...(api.imagePullSecrets ?? []).flatMap((name, index) =>
            wrongObjectName(`api.imagePullSecrets[${index}]`, name, "Secret"),
        ),
        ...nodeRules(api),
        ...wrongObjectName("api.priorityClassName", api.priorityClassName, "PriorityClass"),
        // Kubernetes wants the deadline of a rollout to be longer.
        ...wholeNumberBetween(
            "api.minReadySeconds",
            minReadySeconds,
            0,
            PROGRESS_DEADLINE_SECONDS - 1,
        ),
        ...wholeNumber("api.revisionHistoryLimit", revisionHistoryLimit, 0),
    ];
}

function lifecycleRules(lifecycle: CheckedApi["lifecycle"] = {}): Violation[] {
    const sleep = lifecycle.preStopSleepSeconds ?? PRE_STOP_SLEEP_SECONDS;
    const grace = lifecycle.terminationGracePeriodSeconds ?? TERMINATION_GRACE_PERIOD_SECONDS;
    const found = wholeNumberBetween("api.lifecycle.preStopSleepSeconds", sleep, 0, 3600);
    if (Number.isInteger(grace) && grace > sleep) return found;
    const expected = `a whole number greater than api.lifecycle.preStopSleepSeconds (${sleep}), which is part of it`;
    const path = "api.lifecycle.terminationGracePeriodSeconds";
    return [...found, { path, got: show(grace), expected }];
}
